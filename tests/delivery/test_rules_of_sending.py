"""The rules of sending that need no receiver: signature, schedule."""

from base64 import b64decode
from datetime import UTC, datetime

import pytest

from ketenzorg.access.signing import in_text, new_secret, signed
from ketenzorg.delivery.schedule import TRIP, rest_s, retry_s


def test_the_signature_is_that_of_the_published_example() -> None:
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
        [b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), b"of before"],
    )
    assert headers["webhook-timestamp"] == "1614265330"
    now, before = headers["webhook-signature"].split(" ")
    assert now == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert before.startswith("v1,")


def test_a_secret_in_text_is_the_secret() -> None:
    secret = new_secret()
    prefix, _, text = in_text(secret).partition("_")
    assert (prefix, b64decode(text)) == ("whsec", secret)
    assert 24 <= len(secret) <= 64


def test_an_event_is_tried_again_after_a_second_and_in_the_end_once_an_hour() -> None:
    waits = [retry_s(attempts, 0, 0.5) for attempts in range(1, 80)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == max(waits) == 3600
    assert (retry_s(3, 0, 0), retry_s(3, 0, 1)) == pytest.approx((3.2, 4.8))


def test_a_receiver_is_left_alone_after_some_failures_and_never_for_more_than_a_minute() -> None:
    rests = [rest_s(failures, 0, 0.5) for failures in range(80)]
    assert rests[:TRIP] == [0] * TRIP
    assert rests[TRIP : TRIP + 3] == [1, 2, 4]
    assert rests[-1] == max(rests) == 60
    assert rest_s(1, 1800, 0.5) == 1800
