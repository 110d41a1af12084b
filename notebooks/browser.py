"""A page in headless Chromium, driven by Selenium, for tests: opened, clicked, typed into, asked."""
import importlib.util
import shutil
import socket
from pathlib import Path


def lacking():
    """What there is not, in a line; "" where a browser can be had."""
    if importlib.util.find_spec("selenium") is None:
        return "Selenium is not installed"
    names = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    if names:
        return f"{' and '.join(names)} not installed"
    try:  # Selenium asks for the driver by this name.
        socket.getaddrinfo("localhost", None)
    except OSError:
        return "localhost has no address; /etc/hosts gives it one"
    return ""


def start():
    """Selenium's browser."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    # Only pages made here are opened, so that it may run where it cannot make a sandbox; no name is found but this machine's.
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    browser.set_page_load_timeout(120)
    return browser


class Browser:
    """with Browser() as page: page.open(file); page.ask("document.title")"""

    def __init__(self, width=1280, height=900, dark=False):
        self._metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._scheme = "dark" if dark else "light"

    def __enter__(self):
        self._browser = start()
        self._browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", self._metrics)
        self._browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": self._scheme}]})
        return self

    def __exit__(self, *_):
        self._browser.quit()

    def open(self, file):
        self._browser.get(Path(file).resolve().as_uri())

    def ask(self, expression):
        """The value of an expression of JavaScript in the page."""
        return self._browser.execute_script(f"return ({expression})")

    def press(self, *keys):
        """Keys as a user presses them: "a", "ArrowRight", "Tab"."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys
        named = {"ArrowRight": Keys.ARROW_RIGHT, "Tab": Keys.TAB, "Enter": Keys.ENTER}
        for key in keys:
            ActionChains(self._browser).send_keys(named.get(key, key)).perform()

    def mouse(self, x, y):
        self._browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    def messages(self):
        """What the page wrote to its console since this was asked last, its errors, and what it asked of a network in vain."""
        return [entry["message"] for entry in self._browser.get_log("browser")]
