"""Reviews that demo people write of products."""

import random

TITLES = {
    5: ("Works for me", "Best one so far", "Ordered again", "Finally something that helps", "Excellent"),
    4: ("Good value", "Solid", "Does what it says", "Happy with it", "Nice, with one wish"),
    3: ("Okay", "Not sure yet", "Average", "It is fine"),
    2: ("Expected more", "Hard to swallow", "Too sweet"),
    1: ("Not for me", "Gave me a stomach ache"),
}
BODIES = {
    5: (
        "Second month now and I notice the difference. Easy to take, no aftertaste.",
        "My physician suggested the ingredient, this brand has the dose without fillers.",
        "I sleep and feel better since I take it in the evening. Will stay with it.",
        "Clear label, honest dosage, quick delivery.",
    ),
    4: (
        "Good quality. One star less because the lid does not close well.",
        "Does what it should; I only wish there was a larger size.",
        "Took two weeks until I felt something. Worth the patience.",
    ),
    3: (
        "I cannot say yet whether it helps. Nothing bad either.",
        "Fine, but there are cheaper ones with the same amount.",
    ),
    2: ("The serving is more than I thought: the jar was empty after two weeks.", "Tastes odd."),
    1: ("I had to stop after three days. Others may be luckier.",),
}


def opinion(rng: random.Random) -> tuple[int, str, str]:
    """Stars, a title and a text."""
    stars = rng.choices((5, 4, 3, 2, 1), weights=(46, 30, 13, 6, 5))[0]
    return stars, rng.choice(TITLES[stars]), rng.choice(BODIES[stars])
