"""The demo content: the same for the same seed, and what it promises of each kind."""

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from PIL import Image as Pillow

from core import zones
from devstack.demo import comment_text, follows, people, post_text, write_avatars, write_images


def test_the_same_seed_gives_the_same_people() -> None:
    assert list(people(300, Random(7))) == list(people(300, Random(7)))
    assert list(people(300, Random(7))) == list(people(500, Random(7)))[:300]
    assert list(people(300, Random(7))) != list(people(300, Random(8)))


def test_five_thousand_people_have_handles_and_addresses_of_their_own() -> None:
    everyone = list(people(5_000, Random(1)))
    assert len({person.handle for person in everyone}) == 5_000
    assert len({person.email for person in everyone}) == 5_000
    assert all(re.fullmatch(r"[a-z0-9_]{3,30}", person.handle) for person in everyone)
    assert {person.time_zone for person in everyone} <= zones.names()
    assert max(len(person.bio) for person in everyone) <= 160
    assert all(person.joined_days_ago >= 0 for person in everyone)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_the_famous_come_first(n: int) -> None:
    famous = ["ada@example.com", "grace@example.com", "alan@example.com"]
    assert [person.email for person in people(n, Random(1))][:3] == famous[:n]
    assert len(list(people(n, Random(1)))) == n


def test_posts_are_varied_and_of_bounded_length() -> None:
    rng = Random(1)
    posts = [post_text(rng) for _ in range(5_000)]
    again = Random(1)
    assert posts == [post_text(again) for _ in range(5_000)]
    assert all(20 <= len(post) <= 1200 for post in posts)
    assert len(set(posts)) > 4_800
    assert not any(re.search(r"[{}|]", post) for post in posts)
    assert any("\n" in post for post in posts)
    assert any("é" in post for post in posts)
    assert any("🎉" in post for post in posts)


def test_comments_answer_the_post() -> None:
    rng = Random(1)
    posts = [post_text(rng) for _ in range(500)]
    comments = [comment_text(Random(number), post) for number, post in enumerate(posts)]
    assert comments == [comment_text(Random(number), post) for number, post in enumerate(posts)]
    assert not any(re.search(r"[{}|]", comment) for comment in comments)
    assert all(0 < len(comment) <= 500 for comment in comments)
    about_bread = {comment_text(Random(seed), "I baked sourdough today.") for seed in range(200)}
    assert any("sourdough" in comment for comment in about_bread)
    assert comment_text(Random(1), "")


def test_the_graph_has_a_star_circles_and_no_loops() -> None:
    pairs = list(follows(200, Random(1)))
    assert pairs == list(follows(200, Random(1)))
    assert len(set(pairs)) == len(pairs)
    assert all(follower != followee for follower, followee in pairs)
    assert 20 <= len(pairs) / 200 <= 30
    followers = sorted(Counter(followee for _, followee in pairs).values(), reverse=True)
    assert followers[0] > 100
    assert followers[0] > 5 * followers[100]
    mutual = sum((followee, follower) in set(pairs) for follower, followee in pairs[:500]) / 500
    assert 0.2 < mutual < 0.7


def test_the_first_three_follow_each_other_and_twenty_more() -> None:
    pairs = set(follows(200, Random(1)))
    for person in range(3):
        followed = {followee for follower, followee in pairs if follower == person}
        assert {0, 1, 2} - {person} <= followed
        assert len(followed) >= 22


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_a_small_graph_stays_within_its_people(n: int) -> None:
    pairs = list(follows(n, Random(1)))
    assert all(follower < n and followee < n and follower != followee for follower, followee in pairs)


def test_images_are_what_they_say(tmp_path: Path) -> None:
    images = write_images(tmp_path, 4, Random(3))
    assert len({image.folder for image in images}) == 4
    for image in images:
        assert [(each["width"], each["format"]) for each in image.variants][:2] == [
            (320, "WEBP"),
            (640, "WEBP"),
        ]
        assert [each["format"] for each in image.variants] == ["WEBP", "WEBP", "WEBP", "JPEG"]
        for variant in image.variants:
            path = tmp_path / image.folder / variant["name"]
            with Pillow.open(path) as opened:
                assert opened.format == variant["format"]
                assert opened.size == (variant["width"], variant["height"])
            assert variant["size_bytes"] == path.stat().st_size
        assert len(image.placeholder) == 28
        assert re.fullmatch("#[0-9a-f]{6}", image.dominant_color)


def test_images_that_exist_are_left_alone(tmp_path: Path) -> None:
    first = write_images(tmp_path, 2, Random(3))
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    assert len(written) == 8
    assert write_images(tmp_path, 2, Random(3)) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == written


def test_every_person_has_an_avatar(tmp_path: Path) -> None:
    everyone = list(people(6, Random(1)))
    avatars = write_avatars(tmp_path, everyone)
    assert len({avatar.folder for avatar in avatars}) == 6
    sizes = [(96, "WEBP"), (256, "WEBP"), (512, "WEBP")]
    assert [(each["width"], each["format"]) for each in avatars[0].variants] == sizes
    with Pillow.open(tmp_path / avatars[0].folder / "512.webp") as full:
        assert full.size == (512, 512)
        assert full.convert("RGBA").getchannel("A").getpixel((0, 0)) == 0
