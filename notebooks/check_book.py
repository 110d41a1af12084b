#!/usr/bin/env python3
"""Opens every page of a book in headless Chromium, from the disk, and says what is wrong with it, a line each.

    python3 check_book.py BOOK

Every page: no error in the console, no missing file, nothing asked of a network, no formula that was not understood,
and nothing wider than a telephone. Then the links, the search, light and dark, the way by keyboard, and the same from a server.
Exit status: 0 fine; 1 faults; 2 there is no book; 77 there is no browser to look with, and one line says so.
"""
import concurrent.futures
import functools
import http.server
import os
import re
import sys
import threading
import time
from html import unescape
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag

from browser import lacking, start

LINK = re.compile(r'<(?:a|link|img|script|source)\b[^>]*?\b(?:href|src)="([^"]*)"', re.IGNORECASE)
NAME = re.compile(r"""\b(?:id|name)=["']?([^"'\s>]+)""")
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
# What is asked of every page, in the page itself.
QUESTIONS = """
const text = document.documentElement, found = [];
// Not innerWidth: a telephone that shows a wide page grows that with it.
for (const box of [text, ...document.querySelectorAll(".content")])
  if (box.scrollWidth > Math.min(box.clientWidth, arguments[0])) 
    found.push(`has ${box.tagName.toLowerCase()} ${box.scrollWidth} px wide on a telephone`);
for (const image of document.images) {
  const name = image.getAttribute("src");
  if (image.complete && !image.naturalWidth) found.push(`lacks the picture ${name}`);
  if (!image.hasAttribute("alt")) found.push(`has a picture without words, ${name}`);
}
for (const fault of document.querySelectorAll(".katex-error"))
  found.push(`has a formula that is not understood: ${fault.textContent}`);
const formulas = document.querySelectorAll(".math:not(:has(.katex))").length;
if (formulas) found.push(`has ${formulas} formulas that are not set`);
return found;
"""


def link_faults(book):
    """Links within the book that lead nowhere, and files that pages ask of a network."""
    texts = {file: file.read_text(encoding="utf-8", errors="replace") for file in sorted(book.rglob("*.html"))}
    names = {file: set(map(unescape, NAME.findall(text))) for file, text in texts.items()}
    for file, text in texts.items():
        # Code that is shown is no page of its own.
        for address in dict.fromkeys(map(unescape,
                                         LINK.findall(re.sub(r"<script\b(?![^>]*\bsrc=).*?</script>", "", text,
                                                             flags=re.DOTALL)))):
            target, place = urldefrag(address)
            if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", address):
                continue
            path = (file.parent / unquote(target.partition("?")[0])).resolve() if target else file
            where = file.relative_to(book)
            if not path.is_file():
                yield f"{where}: nothing is at {address}"
            elif place and path.suffix == ".html" and unquote(place) not in names.get(path, ()) and place != "top":
                yield f"{where}: {address} names no place of that page"


def console(browser):
    return [f"{entry['message'][:300]}" for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def until(browser, script, seconds=30):
    """Waits until the script says something that is true, and gives that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := browser.execute_script(script):
            return found
        time.sleep(0.1)
    return None


def page_faults(book, files):
    """These pages of the book on a telephone, in a browser of their own."""
    browser = start()
    try:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
        for file in files:
            browser.get(file.as_uri())
            where = file.relative_to(book)
            # Other programs' pages are opened, but answer for their width and pictures themselves.
            ours = where.parts[0] != "attached"
            found = browser.execute_script(QUESTIONS, PHONE["width"]) if ours else answers(browser)
            yield from (f"{where}: {fault}" for fault in found + console(browser))
    finally:
        browser.quit()


def all_page_faults(book):
    """Every page of the book, several browsers at a time."""
    files, count = sorted(book.rglob("*.html")), min(4, os.cpu_count() or 1)
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        for found in pool.map(lambda start: list(page_faults(book, files[start::count])), range(count)):
            yield from found


def answers(browser):
    """Touches what an interactive page offers; what goes wrong shows in the console."""
    browser.execute_script("""
for (const button of [...document.querySelectorAll("button")].slice(0, 20)) button.click();
for (const field of [...document.querySelectorAll("input, select")].slice(0, 40)) {
  for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
}""")
    return []


def search_faults(browser, address):
    """The search finds what is there and nothing else."""
    browser.get(f"{address}/search.html?q={quote('softmax')}")
    found = until(browser, "return [...document.querySelectorAll('#search-results li a')].map(a => a.href.split(/[?#]/)[0])")
    if not found:
        yield f"{address}/search.html finds nothing of softmax"
    elif address.startswith("file:") and not Path(unquote(found[0].removeprefix("file://"))).is_file():
        yield f"search.html finds {found[0]}, which is not there"
    browser.get(f"{address}/search.html?q=xyzzyplugh")
    if not until(browser, "return /did not match|no matches/i.test(document.getElementById('search-results').textContent)"):
        yield f"{address}/search.html does not say that it finds nothing of xyzzyplugh"
    yield from (f"search: {fault}" for fault in console(browser))


def keyboard_faults(browser, address):
    """The first key leads past the side bar; colours change with the button, and stay so on the next page."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
    browser.set_window_size(1400, 1000)
    browser.get(f"{address}/index.html")
    ActionChains(browser).send_keys(Keys.TAB).perform()
    if browser.execute_script("return document.activeElement.className") != "skip":
        yield "index.html: the first key does not reach the link past the side bar"
    elif browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "none":
        yield "index.html: what has the focus does not show it"
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    if browser.execute_script("return document.activeElement.id") != "main-text":
        yield "index.html: the link past the side bar does not lead to the text"
    browser.execute_script("document.body.dataset.theme = 'light'; localStorage.setItem('theme', 'light')")
    light = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    for _ in range(3):
        browser.execute_script("[...document.querySelectorAll('.theme-toggle')].find(b => b.offsetParent).click()")
        if browser.execute_script("return document.body.dataset.theme") == "dark":
            break
    browser.get(f"{address}/search.html")
    if browser.execute_script("return getComputedStyle(document.body).backgroundColor") == light:
        yield "the button for dark colours changes nothing"
    browser.execute_script("localStorage.removeItem('theme')")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def served_faults(browser, book):
    """The first page, a lesson and the search, from a server."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(book))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        for file in [book / "index.html", *sorted(book.glob("chapters/*/lesson.html"))[:1]]:
            browser.get(f"{address}/{file.relative_to(book)}")
            yield from (f"served: {fault}" for fault in console(browser))
        yield from search_faults(browser, address)
        server.shutdown()


def faults(book):
    yield from link_faults(book)
    yield from all_page_faults(book)
    browser = start()
    try:
        yield from search_faults(browser, book.as_uri())
        yield from keyboard_faults(browser, book.as_uri())
        yield from served_faults(browser, book)
    finally:
        browser.quit()


def check(book):
    """The exit status, and what is wrong on standard error."""
    if reason := lacking():
        print(f"course: the book was not opened in a browser: {reason}", file=sys.stderr)
        return 77
    begin, count = time.monotonic(), 0
    for fault in faults(book):
        count += 1
        print(f"course: {fault}", file=sys.stderr)
    pages = sum(1 for _ in book.rglob("*.html"))
    seconds = time.monotonic() - begin
    print(f"book: {pages} pages opened in {seconds:.0f} s, {count or 'no'} fault{'' if count == 1 else 's'}")
    return 1 if count else 0


def main(arguments):
    book = Path(arguments[0]).resolve() if len(arguments) == 1 else None
    if book is None or not (book / "index.html").is_file():
        print(f"course: there is no book in {book}; ./course book binds one" if book else f"usage: {__doc__}",
              file=sys.stderr)
        return 2
    return check(book)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
