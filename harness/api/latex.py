"""Text for LaTeX: nothing that comes from outside takes effect as a command, and all compiles."""

import re
import unicodedata

from harness.api.numbers import NOTHING

SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "[": "{[}",  # at the start of a row, it would be an argument of the line before
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": "{`}",
    "\u00b7": r"\textperiodcentered{}",
    NOTHING: r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "\u2212": "$-$",
    "\u00d7": r"$\times$",
    "\u00b1": r"$\pm$",
    "\u00b2": r"$^2$",
    "\u00b3": r"$^3$",
    "\u2192": r"$\rightarrow$",
    "\u2264": r"$\leq$",
    "\u2265": r"$\geq$",
    "\u221a": r"$\surd$",
    "\u221e": r"$\infty$",
    "\u2044": "/",  # in fractions of one letter
    "\u2026": r"\ldots{}",
    "\u2018": "{`}",
    "\u2019": "'",
    "\u201c": r"\textquotedblleft{}",
    "\u201d": r"\textquotedblright{}",
    "\u00b5": r"$\mu$",
    "\u00a0": "~",
}
GREEK = {
    "alpha": "\u03b1",
    "beta": "\u03b2",
    "gamma": "\u03b3",
    "delta": "\u03b4",
    "epsilon": "\u03b5",
    "eta": "\u03b7",
    "theta": "\u03b8",
    "kappa": "\u03ba",
    "lambda": "\u03bb",
    "mu": "\u03bc",
    "rho": "\u03c1",
    "sigma": "\u03c3",
    "tau": "\u03c4",
    "phi": "\u03c6",
    "chi": "\u03c7",
    "Delta": "\u0394",
}
TABLE = SIGNS | {letter: f"$\\{name}$" for name, letter in GREEK.items()}
LAST_LATIN = "\u017f"
"""Letters up to here are known to every LaTeX that reads UTF-8."""


def latex_text(words: str) -> str:
    r"""Words as LaTeX text, on one line.

    What a plain LaTeX cannot set is written without its accents or, failing that, by its number.

    >>> print(latex_text("lr=1e-3 -- 50 % of \\input{x}"))
    lr=1e-3 -{}- 50 \% of \textbackslash{}input\{x\}
    >>> print(latex_text("-0.5 & \u03c4 \u2265 0.5, na\u00efve, \u1e3f, \u00bd, \u4e2d"))
    $-$0.5 \& $\tau$ $\geq$ 0.5, naïve, m, 1/2, U+4E2D
    """
    text = "".join(map(_sign, " ".join(words.split())))
    text = re.sub(r"([-',])(?=\1)", r"\1{}", text)  # two would become a dash or a quotation mark
    return re.sub(r"(?<![^ (])-(?=\d)", "$-$", text)


def _sign(sign: str) -> str:
    if sign in TABLE:
        return TABLE[sign]
    if sign.isascii():
        return sign if sign.isprintable() else f"U+{ord(sign):04X}"
    if sign <= LAST_LATIN and sign.isalpha():
        return sign
    plain = unicodedata.normalize("NFKD", sign)
    return "".join(map(_sign, plain)) if plain != sign else _number(sign)


def _number(sign: str) -> str:
    return "" if unicodedata.category(sign) in ("Mn", "Cf") else f"U+{ord(sign):04X}"
