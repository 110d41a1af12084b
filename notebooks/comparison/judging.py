"""When is a rung faster or slower, and when is it noise?

The ratio is that of the medians. Its interval is the percentile bootstrap of both medians (Efron 1979; Efron and Tibshirani 1993,
chapter 13): each sample is drawn anew from itself many times, and of the ratios that come out the middle 95 % are kept.
"""
import dataclasses
import random
from statistics import median

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 1

# Of 2·3 runs of the same program, all three of one side are the faster ones in 2 of C(6, 3) = 20 orders: 10 %. Whatever the
# statistic, three runs a side cannot tell a difference from chance at 95 %. Four can: 2 of C(8, 4) = 70.
LEAST_RUNS = 4

FASTER, SLOWER, SAME, UNJUDGED = "faster", "slower", "", "few runs"


@dataclasses.dataclass
class Judgement:
    """B over A: below 1 is faster."""
    ratio: float
    low: float  # the interval; both None where there is none
    high: float
    aa_spread: float  # the larger of the two
    verdict: str

    def slower_than(self, factor):
        """Whether it is slower, and the whole interval lies above `factor`."""
        return self.verdict == SLOWER and self.low > factor


def interval(a, b, *control):
    """The 95 % interval of median(b) / median(a); with the times (a, b) of a `control`, of that over the control's. The same for
    the same times."""
    draw = random.Random(SEED)

    def ratio(before, after):
        return median(draw.choices(after, k=len(after))) / median(draw.choices(before, k=len(before)))

    ratios = sorted(ratio(a, b) / (ratio(*control) if control else 1) for _ in range(RESAMPLES))
    outside = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return ratios[outside], ratios[-1 - outside]


def judge(a, b, *control):
    """Holds entry b against entry a. A difference counts where the interval excludes 1 and the ratio is larger than what either
    run shows against itself. With the entries (a, b) of a `control`, a rung that did not change, the ratio is over the control's:
    what slowed the whole machine down cancels."""
    spread, ratio = max(a.aa_spread, b.aa_spread), b.time_s / a.time_s
    if control:
        # Each of the two ratios may be off by its own.
        spread = (1 + spread) * (1 + max(each.aa_spread for each in control)) - 1
        ratio /= control[1].time_s / control[0].time_s
    times = [each.times_s for each in (a, b, *control)]
    if min(map(len, times)) < LEAST_RUNS:
        return Judgement(ratio, None, None, spread, UNJUDGED)
    low, high = interval(*times)
    verdict = SAME
    if max(ratio, 1 / ratio) - 1 > spread:
        verdict = SLOWER if low > 1 else FASTER if high < 1 else SAME
    return Judgement(ratio, low, high, spread, verdict)
