"""Which entry of one file belongs to which of the other."""
import collections


def _numbered(entries):
    """The entries under what they are, and how many the same came before: a shape may be measured twice."""
    seen, found = collections.Counter(), {}
    for entry in entries:
        # Two files may name the sizes in another order.
        key = (entry.mechanism, tuple(sorted(entry.shape.split(","))), entry.rung, entry.threads)
        found[(*key, seen[key])] = entry
        seen[key] += 1
    return found


def pair(a, b):
    """The pairs (entry of A, entry of B) that were run in both, in A's order; then those in A alone and in B alone. One that was
    skipped in both is in none of the three; one that was skipped in either counts as being in the other alone."""
    in_a, in_b = _numbered(a.entries), _numbered(b.entries)

    def run(entries, key):
        return key in entries and entries[key].status != "skipped"

    pairs = [(in_a[key], in_b[key]) for key in in_a if run(in_a, key) and run(in_b, key)]
    only_a = [(in_a[key], in_b.get(key)) for key in in_a if run(in_a, key) and not run(in_b, key)]
    only_b = [(in_b[key], in_a.get(key)) for key in in_b if run(in_b, key) and not run(in_a, key)]
    return pairs, only_a, only_b


def beside(pairs, name):
    """Each pair with that of the rung `name` on the same shape with the same threads, and without that rung itself; and the pairs
    where there is none."""
    def place(entry):
        return entry.mechanism, tuple(sorted(entry.shape.split(","))), entry.threads

    controls = {}
    for a, b in pairs:
        if a.rung == name:
            controls.setdefault(place(a), (a, b))
    others = [both for both in pairs if both[0].rung != name]
    return [(*both, *controls[place(both[0])]) for both in others if place(both[0]) in controls], \
           [both for both in others if place(both[0]) not in controls]
