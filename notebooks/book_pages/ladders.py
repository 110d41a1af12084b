"""A page for each ladder, and a page for each rung: its code, what changed, what was measured."""
from attention_plots.results import Chapter, Missing, rows_run
from attention_plots.tables import LADDER_HEADS, ladder_notes, ladder_rows, table

from .difference import difference_html
from .origins import not_measured, note
from .pages import fenced, front_matter, raw


def escaped(text):
    """Signs that Markdown would take for its own."""
    return text.replace("*", "\\*").replace("~", "\\~")


def ladder_page(mechanism):
    return f"chapters/{mechanism['chapter']}/ladder_{mechanism['name']}"


def _problems(site, mechanism):
    """The chapter's results and the problems of a mechanism, the headline first. Raises Missing."""
    chapter = Chapter(mechanism["chapter"], site.results, site.mode)
    try:
        document = chapter.read("ladder")
        names = [(not problem["headline"], problem["name"]) for problem in document["problems"]
                 if problem["mechanism"] == mechanism["name"]]
        if not names:
            raise Missing(f"ladder.json of {chapter.name} has nothing of {mechanism['name']}: "
                          f"./course run {chapter.name[:2]} makes it")
        return chapter, [chapter.problem(name, mechanism["name"]) for _,
                         name in sorted(names, key=lambda found: found[0])]
    except (KeyError, TypeError) as error:
        raise Missing(f"ladder.json of {chapter.name} lacks {error}: "
                      f"./course run {chapter.name[:2]} --again makes it anew") from None


def write_ladder(site, mechanism, order):
    """The page of one ladder: its rungs, and its tables."""
    page = ladder_page(mechanism)
    links = {described["name"]: site.between(page, rung.page) for described,
             rung in zip(mechanism["rungs"], order) if rung}
    rows = []
    for described in mechanism["rungs"]:
        kind = "library" if described["beside"] else "variant" if described["variant"] else ""
        name = described["name"]
        rows.append([f"[{name}]({links[name]})" if name in links else f"`{name}`", escaped(described["idea"]), kind])
    text = f"# {mechanism['title']}: the ladder\n\n{mechanism['citation']}.\n\n" + table(["rung", "idea", ""],
                                                                                         rows) + "\n\n"
    text += f"Time it yourself: `./course bench {mechanism['name']}`.\n\n"
    try:
        chapter, problems = _problems(site, mechanism)
        for problem in problems:
            def cell(row):
                name, _, rest = row[0].partition(" ")
                first = f"[{name}]({links[name]}) {escaped(rest)}".strip() if name in links else escaped(row[0])
                return [first, *map(escaped, row[1:])]
            text += (f"## {problem['title']}\n\n`{problem['shape']}`\n\n"
                     + table(LADDER_HEADS, map(cell, ladder_rows(problem))) + "\n\n"
                     + "\n\n".join([*map(escaped, ladder_notes(problem)), note(problem, chapter)]) + "\n\n")
    except Missing as reason:
        text += not_measured(reason) + "\n"
    site.pages.text(f"{page}.md", text)


RUNG_HEADS = ["problem", *LADDER_HEADS[2:]]


def measured_rows(site, rung):
    """The rows of a rung in the tables of its mechanisms, as Markdown."""
    text = ""
    for mechanism in rung.mechanisms:
        if len(rung.mechanisms) > 1:
            text += f"### {mechanism['title']}\n\n"
        try:
            chapter, problems = _problems(site, mechanism)
        except Missing as reason:
            text += not_measured(reason) + "\n\n"
            continue
        rows, notes = [], []
        for problem in problems:
            own = {**problem, "results": [row for row in problem["results"] if row["rung"] == rung.name]}
            rows += [[problem["name"] + (" \\*" if row["status"] == "sampled" else ""), *map(escaped, cells[2:])]
                     for row, cells in zip(rows_run(own), ladder_rows(own))]
            notes += [f"{problem['name']}: {sentence}" if sentence.startswith("Not run") else sentence
                      for sentence in ladder_notes(own)]
        if rows:
            text += table(RUNG_HEADS, rows) + "\n\n"
        text += "\n\n".join([*map(escaped, dict.fromkeys(notes)), note(problems[0], chapter)]) + "\n\n"
    return text


def write_rung(site, rung, lesson):
    """The page of one rung."""
    page, root = rung.page, site.root
    mechanism = rung.mechanisms[0]
    ways = [f"[Chapter {int(mechanism['chapter'][:2])}]({site.between(page, lesson)})"] if lesson else []
    ways += [f"[{m['title']}]({site.between(page, ladder_page(m))})" for m in rung.mechanisms]
    step = f"rung {rung.place} of {rung.of}" if rung.place else "beside the ladder"
    code = rung.file.read_text(encoding="utf-8")
    idea = escaped(rung.idea[:1].upper() + rung.idea[1:])
    text = front_matter(orphan="true") + f"# {mechanism['title']}: {rung.name}\n\n"
    text += f"{' · '.join(ways)} · {step}\n\n**{idea}.**\n\n"
    text += f"`{rung.file.relative_to(root)}`\n\n{site.included(code, page, rung.file)}"
    text += "## Measured\n\n" + measured_rows(site, rung)
    if rung.before:
        before = rung.before.file
        text += (f"## What changed\n\nSince [{rung.before.name}]({site.between(page, rung.before.page)}), the "
                 f"{'rung before' if rung.place else 'last rung of the ladder'}:\n\n"
                 + raw(difference_html(before.read_text(encoding="utf-8"), code,
                                       f"From {before.name} to {rung.file.name}")))
    text += "## The code\n\n" + fenced("cpp", code) + "\n"
    turns = [f"Before: [{rung.before.name}]({site.between(page, rung.before.page)})"] if rung.before else []
    turns += [f"Next: [{rung.after.name}]({site.between(page, rung.after.page)})"] if rung.after else []
    site.pages.text(f"{page}.md", text + " · ".join(turns) + "\n")
