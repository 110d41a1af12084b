"""Tests of the book's pages, on results made here; Sphinx and the browser are asked by tests/book_in_a_browser.py."""
import json
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import book  # noqa: E402
import check_book  # noqa: E402
from book_pages.difference import difference_html, rows  # noqa: E402
from book_pages.lessons import boxed  # noqa: E402
from book_pages.pages import Pages, publish  # noqa: E402
from book_pages.reference import doxygen  # noqa: E402
from book_pages.rungs import files_of, part_of  # noqa: E402
from book_pages.site import Site  # noqa: E402
from test_notebooks import NAME, make_results  # noqa: E402


def mechanism(name, chapter=NAME, rungs=("formula", "loops"), beside=()):
    return {"name": name, "title": name.title(), "citation": "A paper, 2017", "chapter": chapter,
            "rungs": [{"name": rung, "idea": f"idea of {rung}", "beside": rung in beside, "variant": False}
                      for rung in (*rungs, *beside)]}


class Folder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, text=""):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


class Rungs(Folder):
    def test_the_part_of_a_name_begins_or_ends_the_mechanism(self):
        parts = {"", "backward", "linear", "attention_pooling", "attention"}
        for name, part in (("dot_product", ""), ("dot_product_backward", "backward"), ("linear_attention", "linear"),
                           ("attention_pooling", "attention_pooling")):
            self.assertEqual(part_of(name, parts), part, name)

    def test_files_are_found_by_number_and_name(self):
        for name in ("1_formula", "2_loops", "backward_1_formula", "openblas", "backward_openblas", "row"):
            self.file(f"{name}.cpp")
        found = files_of(mechanism("dot_product", beside=("openblas",)), self.folder)
        self.assertEqual([file.stem for file in found], ["1_formula", "2_loops", "openblas"])
        found = files_of(mechanism("dot_product_backward", beside=("openblas",)), self.folder)
        self.assertEqual([file and file.stem for file in found], ["backward_1_formula", None, "backward_openblas"])

    def test_every_ladder_of_the_project_has_its_files(self):
        for folder in sorted(book.ROOT.glob("chapters/*/rungs")):
            files = {file for file in folder.glob("*.cpp") if file.stem[0].isdigit()}
            names = [file.stem.partition("_")[2] for file in sorted(files)]
            found = files_of(mechanism("nothing", rungs=names), folder)
            self.assertEqual(set(found) - {None}, files, folder)


class Difference(unittest.TestCase):
    def test_what_was_added_and_removed(self):
        found = [(mark, old, new) for mark, old, new, _ in rows("a;\nb;\nc;\n", "a;\nx;\nc;\n")]
        self.assertEqual(found, [(" ", 1, 1), ("-", 2, None), ("+", None, 2), (" ", 3, 3)])

    def test_long_stretches_are_left_out_and_counted(self):
        same = "".join(f"line{n};\n" for n in range(30))
        found = [row for row in rows(same + "a;\n", same + "b;\n") if row[0] == "@"]
        self.assertEqual([row[3] for row in found], ["27 lines as before"])

    def test_comments_over_several_lines_and_odd_ends(self):
        for before, after in (("/* a\nb */\n\n", "int x;\n"), ("", "int x;"), ("a;\n\n\n", "\n\na;"), ("x", "")):
            found = list(rows(before, after))
            self.assertEqual([row[0] for row in found if row[0] == "+"], ["+"] * len([1 for r in found if r[0] == "+"]))

    def test_code_is_text_and_marks_are_words(self):
        made = difference_html("a<b>;\n", "a<c>;\n", 'from "a" to "b"')
        self.assertIn("1 lines added, 1 removed", made)
        self.assertIn('<span class="unseen">added: </span>', made)
        self.assertNotIn("<c>", made)
        self.assertIn("&quot;a&quot;", made)


class Writing(Folder):
    def test_what_is_the_same_is_not_written_again_and_what_is_old_goes(self):
        first = Pages(self.folder)
        first.text("a/x.md", "1")
        first.text("b/y.md", "1")
        first.finish()
        before = (self.folder / "a/x.md").stat().st_mtime_ns
        second = Pages(self.folder)
        second.text("a/x.md", "1")
        second.finish()
        self.assertEqual((self.folder / "a/x.md").stat().st_mtime_ns, before)
        self.assertFalse((self.folder / "b").exists())

    def test_a_site_is_published_whole_and_without_what_was_before(self):
        self.file("built/index.html", "new")
        self.file("results/book/old.html", "old")
        publish(self.folder / "built", self.folder / "results" / "book")
        self.assertEqual([file.name for file in (self.folder / "results").rglob("*")], ["book", "index.html"])

    def test_links_lead_to_pages_and_code_gets_one(self):
        lesson = self.file("chapters/01_x/README.md")
        rung, header = self.file("chapters/01_x/rungs/1_formula.cpp", "int x;\n"), self.file("common/tensor/npy.hpp",
                                                                                             "int y;\n")
        site = Site(self.folder, self.folder / "results", "full", self.folder / "pages")
        site.documents[lesson] = "chapters/01_x/lesson"
        site.headers[header] = "reference/common_tensor"
        site.rungs[rung] = type("Rung", (), {"page": "chapters/01_x/rungs/1_formula"})
        text = site.follow_links("[r](rungs/1_formula.cpp) [h](../../common/tensor/npy.hpp#a) [web](https://x.org) "
                                 "[s](#there) `[c](d)` [l](lost.cpp)",
                                 lesson, "chapters/01_x/lesson")
        self.assertEqual(text, "[r](rungs/1_formula.md) [h](../../code/common/tensor/npy.hpp.md#a) [web](https://x.org) "
                               "[s](#there) `[c](d)` [l](#)")
        self.assertEqual(site.lost, ["chapters/01_x/README.md: nothing is at lost.cpp"])
        self.assertIn("In the reference: [npy.hpp](../../../reference/common_tensor.md)",
                      (self.folder / "pages/code/common/tensor/npy.hpp.md").read_text())

    def test_the_box_of_a_lesson_and_no_other_quotation(self):
        self.assertEqual(boxed("# T\n\n> **You need** C++.\n>\n> More.\n\nText\n\n## One\n"),
                         "# T\n\n:::{admonition} This lesson\n:class: opening\n\n**You need** C++.\n\nMore.\n:::\n\n"
                         "Text\n\n## One\n")
        for text in ("# T\n\n> A verse.\n\n## One\n", "# T\n\n## One\n\n> **You need** it.\n"):
            self.assertEqual(boxed(text), text)


class Book(Folder):
    """Pages of the project itself, on made results of chapter 2 and on none."""

    def write(self):
        site = Site(book.ROOT, self.folder / "results", "quick", self.folder / "pages")
        lost = book.write_pages(site, [mechanism("dot_product", rungs=("formula", "loops", "openmp", "fused"),
                                                 beside=("openblas",))])
        self.assertEqual(lost, [])
        return lambda name: (self.folder / "pages" / name).read_text(encoding="utf-8")

    def test_without_results_every_block_says_how_to_make_them(self):
        (self.folder / "results").mkdir()
        read = self.write()
        for page in ("index.md", f"chapters/{NAME}/lesson.md", f"chapters/{NAME}/ladder_dot_product.md",
                     f"chapters/{NAME}/rungs/6_fused.md"):
            self.assertIn("*Not measured here yet.", read(page), page)
            self.assertIn("./course run 02", read(page), page)
            self.assertNotIn("Measured on", read(page), page)
        self.assertIn("have not been drawn: ./course run 02", read(f"chapters/{NAME}/figures.md"))
        self.assertIn("not measured yet", read("machine.md"))

    def test_with_results_each_table_has_its_origin(self):
        folder = make_results(self.folder / "results")
        (folder / ".version").write_text("v1-2-gabc\n")
        read = self.write()
        lesson = read(f"chapters/{NAME}/lesson.md")
        self.assertIn("*Measured on Test CPU, 1 and 2 threads, g++ 12.2.0, 2026-01-02 03:04 UTC, course v1-2-gabc, "
                      "in a quick run", lesson)
        self.assertIn(":::{admonition} This lesson", lesson)
        rung = read(f"chapters/{NAME}/rungs/6_fused.md")
        self.assertIn("| 8x2048x64 | 1 | 2 ms |", rung)
        self.assertIn("rung 4 of 4", rung)
        self.assertIn("Since [openmp](3_openmp.md), the rung before", rung)
        self.assertIn("*Measured on Test CPU", rung)
        self.assertIn("[fused](rungs/6_fused.md)", read(f"chapters/{NAME}/ladder_dot_product.md"))
        self.assertIn("Since [fused](6_fused.md), the last rung of the ladder",
                      read(f"chapters/{NAME}/rungs/openblas.md"))

    def test_without_doxygen_the_reference_says_so_and_nothing_links_into_it(self):
        (self.folder / "results").mkdir()
        with unittest.mock.patch("shutil.which", return_value=None):
            read = self.write()
        self.assertIn("Doxygen is not installed", read("reference/index.md"))
        self.assertNotIn("In the reference", read("code/common/numerics/error_bound.hpp.md"))

    def test_the_reference_has_what_the_headers_say(self):
        if not doxygen():
            self.skipTest("Doxygen is not installed")
        (self.folder / "results").mkdir()
        page = self.write()(f"reference/chapters_{NAME}.md")
        for text in ("## dot_product.hpp", "### dot_product::Problem", "Tensor&lt;4&gt; query;",
                     "[batch, heads, queries, dim]",
                     "void prepare(const Problem &problem, Output &output, bool store_weights);",
                     "using DotProduct = ladder::Mechanism<"):
            self.assertIn(text, page)

    def test_pages_of_programs_come_along_with_what_they_need(self):
        folder = make_results(self.folder / "results")
        (folder / "viewer.html").write_text('<title>A &amp; B</title><script src="data/x.js"></script>'
                                            '<a href="README.md">lesson</a>')
        (folder / "data").mkdir()
        (folder / "data" / "x.js").write_text("1")
        read = self.write()
        self.assertIn(">A &amp; B</a>", read("attached_pages.md"))
        copy = read(f"_attached/attached/{NAME}/quick/viewer.html")
        self.assertIn('src="data/x.js"', copy)
        self.assertEqual(read(f"_attached/attached/{NAME}/quick/data/x.js"), "1")

    def test_an_executed_notebook_becomes_a_page(self):
        folder = make_results(self.folder / "results")
        cells = [{"cell_type": "markdown", "source": ["# Chapter 2: dot\n"]},
                 {"cell_type": "code", "source": "x = 1", "outputs": [
                     {"output_type": "display_data", "data": {"image/png": "aGVsbG8="}},
                     {"output_type": "display_data", "data": {"text/markdown": "## A table"}}]}]
        cells.append({"cell_type": "markdown", "source": ["See [all of it](viewer.html) and [nothing](none.html).\n"]})
        (folder / "viewer.html").write_text("<title>V</title>")
        (folder / f"{NAME}.ipynb").write_text(json.dumps({"cells": cells}))
        page = self.write()(f"chapters/{NAME}/figures.md")
        self.assertIn("# Figures of chapter 2: dot", page)
        self.assertIn(f'<a href="../../attached/{NAME}/quick/viewer.html">all of it</a> and [nothing](none.html)', page)
        self.assertIn("### A table", page)
        self.assertEqual(len(list((self.folder / "pages" / "chapters" / NAME / "figures").glob("*.png"))), 1)
        self.assertIn("```python\nx = 1", page)


class TreeOfPages(Folder):
    @unittest.skipIf(book.missing(), "without Sphinx there is no book")
    def test_the_tree_made_once_is_the_tree_that_sphinx_makes_for_every_page(self):
        self.file("pages/index.md", "# First\n\n```{toctree}\n:caption: All\na/one\na/two\nlast\n```\n")
        self.file("pages/a/one.md", "# One\n\n```{toctree}\nb/deep\n```\n")
        self.file("pages/a/two.md", "# Two\n\n## A part\n")
        self.file("pages/a/b/deep.md", "# Deep\n\n```{toctree}\ndeeper\n```\n")
        self.file("pages/a/b/deeper.md", "# Deeper & <deeper>\n")
        self.file("pages/last.md", "---\norphan: true\n---\n# Last\n")
        self.file("pages/beside.md", "---\norphan: true\n---\n# In no tree\n")
        sites = []
        for name, extensions in (("every", "myst_parser"), ("once", "myst_parser,one_tree")):
            command = [sys.executable, "-m", "sphinx", "-q", "-d", str(self.folder / f"{name}.d"), "-c", str(book.THEME),
                       "-D", f"extensions={extensions}", str(self.folder / "pages"), str(self.folder / name)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            sites.append({str(file.relative_to(self.folder / name)): file.read_text(encoding="utf-8")
                          for file in sorted((self.folder / name).rglob("*.html"))})
        self.assertIn("a/b/deeper.html", sites[0])
        self.assertIn("current-page", sites[0]["a/b/deeper.html"])
        self.assertEqual(*sites)


class Links(Folder):
    def test_what_leads_nowhere_is_named(self):
        self.file("a.html", '<h1 id="x"></h1><a href="b.html#y"></a><a href="b.html#z"></a><a href="c.html"></a>'
                            '<a href="https://x.org"></a>'
                            '<a href="#x"></a><a href="b.html#q"></a><img src="p.png">'
                            '<script>"<a href=\\"d.html\\">"</script>')
        self.file("b.html", '<p id="y"></p><p id=q></p>')
        self.assertEqual(list(check_book.link_faults(self.folder.resolve())),
                         ["a.html: b.html#z names no place of that page", "a.html: nothing is at c.html",
                          "a.html: nothing is at p.png"])

    def test_without_a_book_it_says_so(self):
        self.assertEqual(check_book.main([str(self.folder)]), 2)


if __name__ == "__main__":
    unittest.main()
