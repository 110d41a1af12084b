"""Writes attention.pyi beside the module: what editors and type checkers read. The mechanisms come from the module itself.

    python3 write_stub.py FOLDER        # the folder with the module
"""
import inspect
import sys
from pathlib import Path

HEAD = '''# Written by write_stub.py. The types of the module `attention`.
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

Array = NDArray[numpy.float32]

mechanisms: tuple[str, ...]

class CheckFailed(RuntimeError):
    """{check_failed}"""

class Ladder(list[dict[str, Any]]):
    """{ladder_class}"""

def use_threads(threads: int) -> None:
    """{use_threads}"""

def threads() -> int:
    """{threads}"""

def machine() -> dict[str, Any]:
    """{machine}"""

class Check:
    """{check}"""
    passed: bool
    max_error: float
    bound: float
    fault: str
    def __bool__(self) -> bool: ...

class Mechanism:
    """{mechanism}"""
    name: str
    title: str
    citation: str
    chapter: str
    tensors: list[str]
    rungs: list[str]
    ideas: dict[str, str]
    settings: dict[str, str]
    def make(self, shape: str = "", seed: int = 1) -> dict[str, Any]:
        """{make}"""
'''

MECHANISM = '''
class _{name}(Mechanism):
    """{title}: {citation}."""
    def run(self, rung: {rungs}, {tensors}, *, give: str = ""{settings}) -> Array:
        """{run}"""
    def run_all(self, rung: {rungs}, {tensors}{only_settings}) -> dict[str, Array]:
        """{run_all}"""
    def reference(self, {tensors}, *, give: str = ""{settings}) -> NDArray[numpy.float64]:
        """{reference}"""
    def check(self, rung: {rungs}, {tensors}{only_settings}) -> Check:
        """{check}"""
    def time(self, rung: {rungs}, {tensors}, *, seconds: float = 0.2, threads: int = ...{settings}) -> float:
        """{time}"""
    def ladder(self, {tensors}, *, rungs: {rungs} | Sequence[{rungs}] = ..., seconds: float = 0.1, threads: int = ...{settings}) -> Ladder:
        """{ladder}"""

{name}: _{name}
'''

MODELS = '''
class models:
    """{models}"""
    class Record:
        """{record}"""
        title: str
        weights: Array
        queries: list[str]
        keys: list[str]
    class SentenceEncoder:
        """{encoder}"""
        def __init__(self, folder: Path | str | None = None) -> None: ...
        def embed(self, sentences: Sequence[str]) -> Array:
            """{embed}"""
        def pieces(self, text: str) -> list[str]:
            """{pieces}"""
        def attention(self, text: str) -> "models.Record":
            """{attention}"""
    class Pronouncer:
        """{pronouncer}"""
        def __init__(self, name: str = "g2p_additive") -> None: ...
        def say(self, word: str, width: int = 5) -> tuple[str, float, "models.Record"]:
            """{say}"""
    class GlossClassifier:
        """{glosses}"""
        def __init__(self, pooling: str = "attention") -> None: ...
        def read(self, text: str) -> tuple[str, dict[str, float], list[tuple[str, float]]]:
            """{read_gloss}"""
    class PictureClassifier:
        """{pictures}"""
        def __init__(self, name: str = "cbam") -> None: ...
        def read(self, picture: Array) -> tuple[str, dict[str, float], dict[str, Array]]:
            """{read_picture}"""
'''


def said(thing):
    """A docstring without the signature that pybind11 puts in front of it."""
    text = inspect.getdoc(thing) or ""
    first, _, rest = text.partition("\n\n")
    return rest.strip() if "->" in first else text


def stub(module):
    models = module.models
    text = HEAD.format(check_failed=said(module.CheckFailed), ladder_class=said(module.Ladder), use_threads=said(module.use_threads), threads=said(module.threads), machine=said(module.machine),
                       check=said(module.Check), mechanism=said(module.Mechanism), make=said(module.Mechanism.make))
    for name in module.mechanisms:
        mechanism = getattr(module, name)
        settings = "".join(f", {each}: float = ..." for each in mechanism.settings)
        text += MECHANISM.format(
            name=name, title=mechanism.title, citation=mechanism.citation, settings=settings,
            only_settings=", *" + settings if settings else "",
            rungs=f"Literal[{', '.join(repr(rung) for rung in mechanism.rungs)}]",
            tensors=", ".join(f"{tensor}: Array" for tensor in mechanism.tensors),
            **{each: said(getattr(module.Mechanism, each)) for each in ("run", "run_all", "reference", "check", "time", "ladder")})
    return text + MODELS.format(
        models=said(models), record=said(models.Record), encoder=said(models.SentenceEncoder), embed=said(models.SentenceEncoder.embed),
        pieces=said(models.SentenceEncoder.pieces), attention=said(models.SentenceEncoder.attention), pronouncer=said(models.Pronouncer),
        say=said(models.Pronouncer.say), glosses=said(models.GlossClassifier), read_gloss=said(models.GlossClassifier.read),
        pictures=said(models.PictureClassifier), read_picture=said(models.PictureClassifier.read))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.insert(0, sys.argv[1])
    import attention

    Path(sys.argv[1], "attention.pyi").write_text(stub(attention), encoding="utf-8")
