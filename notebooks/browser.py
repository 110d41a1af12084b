"""A page in headless Chromium, for tests: opened, clicked, typed into, asked, photographed. Where there is no Chromium, find() is None."""
import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path


def find():
    """The browser's program, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """with Browser() as page: page.open(file); page.ask("document.title")"""

    def __init__(self, width=1280, height=900, dark=False):
        self._size, self._dark, self._count = (width, height), dark, 0
        self.messages = []  # what the page wrote to its console, and its errors

    def __enter__(self):
        from tornado.websocket import websocket_connect
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        width, height = self._size
        self._process = subprocess.Popen(
            [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0", f"--window-size={width},{height}",
             f"--user-data-dir={self._folder.name}", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        told = Path(self._folder.name) / "DevToolsActivePort"
        for _ in range(600):
            if told.exists() and len(told.read_text().split()) == 2:
                break
            time.sleep(0.1)
        port, path = told.read_text().split()
        self._loop = asyncio.new_event_loop()
        self._socket = self._loop.run_until_complete(self._connect(websocket_connect, f"ws://127.0.0.1:{port}{path}"))
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = None
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")
        self.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if self._dark else "light"}])
        return self

    async def _connect(self, connect, url):
        return await connect(url, max_message_size=1 << 28)

    def __exit__(self, *_):
        self._socket.close()
        self._process.terminate()
        self._process.wait()
        # What is left of the connection ends with it.
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()
        self._folder.cleanup()

    def call(self, method, **parameters):
        """A command of the DevTools protocol, and its answer."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        return self._loop.run_until_complete(asyncio.wait_for(self._exchange(message), 120))

    async def _exchange(self, message):
        await self._socket.write_message(json.dumps(message))
        while True:
            answer = json.loads(await self._socket.read_message())
            if answer.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                self.messages.append(json.dumps(answer["params"])[:400])
            if answer.get("method") == "Network.requestWillBeSent" and not answer["params"]["request"]["url"].startswith(("file:", "data:", "blob:", "about:")):
                self.messages.append("asks for " + answer["params"]["request"]["url"])
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{message['method']}: {answer['error']['message']}")
                return answer["result"]

    def open(self, file):
        self.call("Page.navigate", url=Path(file).resolve().as_uri())
        for _ in range(600):
            if self.ask("location.protocol === 'file:' && document.readyState === 'complete'"):
                return
            time.sleep(0.1)
        raise RuntimeError("the page does not load")

    def ask(self, expression):
        """The value of an expression of JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:600])
        return answer["result"].get("value")

    def press(self, *keys):
        """Keys as a user presses them: "a", "ArrowRight", "Tab"."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {}
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode={"Tab": 9, "Enter": 13}.get(key, 0), **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def mouse(self, x, y, click=False):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        if click:
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def photograph(self, file):
        Path(file).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
