"""The rules of sending that need no receiver: signature, schedule."""

from base64 import b64decode
from datetime import UTC, datetime

import pytest

from ketenzorg.delivery.schedule import ATTEMPTS, retry_s
from ketenzorg.delivery.signing import in_text, new_secret, signed


def test_the_signature_is_that_of_the_published_example() -> None:
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
        b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    )
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_in_text_is_the_secret() -> None:
    secret = new_secret()
    prefix, _, text = in_text(secret).partition("_")
    assert (prefix, b64decode(text)) == ("whsec", secret)
    assert 24 <= len(secret) <= 64


def test_retries_go_from_a_second_to_an_hour_and_end_after_three_days() -> None:
    waits = [retry_s(attempts, 0, 0.5) for attempts in range(1, ATTEMPTS)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == max(waits) == 3600
    assert 72 <= sum(waits) / 3600 < 73
    assert (retry_s(3, 0, 0), retry_s(3, 0, 1)) == pytest.approx((3.2, 4.8))
