"""Formula ranker: weighted sums, the default, and what a model has to be better than."""

from collections.abc import Mapping, Sequence

from ports.feed import Signals

FORMULAS = {
    "formula": Signals(recency=0.35, affinity=0.30, engagement=0.20, media_fit=0.10, exploration=0.05),
    "fresh": Signals(recency=0.50, affinity=0.25, engagement=0.15, media_fit=0.05, exploration=0.05),
    "close": Signals(recency=0.25, affinity=0.50, engagement=0.10, media_fit=0.10, exploration=0.05),
}
"""Weights of the signals by the name of the formula."""


class Formula:
    """Weighted sums. `experiment` is `name:formula=50,fresh=50`; empty: all get the first formula."""

    def __init__(self, experiment: str = "") -> None:
        self.experiment, _, shares = experiment.partition(":")
        self.variants: Mapping[str, int] = _shares(shares) if shares else {"formula": 100}

    async def scores(self, variant: str, posts: Sequence[Signals]) -> Sequence[float]:
        recency, affinity, engagement, media_fit, exploration = FORMULAS[variant]
        return [
            recency * each.recency
            + affinity * each.affinity
            + engagement * each.engagement
            + media_fit * each.media_fit
            + exploration * each.exploration
            for each in posts
        ]


def _shares(text: str) -> dict[str, int]:
    shares = {}
    for part in text.split(","):
        name, _, percent = part.partition("=")
        if name not in FORMULAS or not percent.isdigit():
            raise ValueError(f"An experiment is name:formula=50,fresh=50 with {', '.join(FORMULAS)}.")
        shares[name] = int(percent)
    if sum(shares.values()) > 100:
        raise ValueError("The shares of an experiment come to at most 100.")
    return shares
