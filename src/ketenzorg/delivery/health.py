"""How a receiver fares: whether it answers, whether it is left alone for a while, and what its subscription says."""

from datetime import datetime, timedelta

from ketenzorg.delivery.schedule import HANDSHAKES, PARKED_AFTER, TRIP, rest_s, retry_s
from ketenzorg.delivery.sending import Answer
from ketenzorg.store.outbox import Ended, EndState, Event, Held, Standing
from ketenzorg.store.subscriptions import Status


class Health:
    """Of one subscription, for as long as it is held."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self.status: Status = held.status
        self._error = held.error
        self._answered = held.answered
        self._failures = held.failures
        self._rest_until: datetime | None = None
        self._beat_at = held.beat_at

    @property
    def is_in_doubt(self) -> bool:
        """So many failures that one message must find out first."""
        return self._failures >= TRIP

    def rests(self, now: datetime) -> bool:
        """Whether nothing more is sent for now."""
        return self.status == "off" or (self._rest_until is not None and self._rest_until > now)

    def note(self, answer: Answer, now: datetime, chance: float) -> None:
        """What an attempt tells of the receiver. That it refuses one message tells nothing."""
        if answer.arrived:
            self._is_well(now)
        elif answer.gone:
            self.status, self._error = "off", answer.why
        elif not answer.refused:
            self._failures += 1
            self._leave_alone(answer, now, chance)
            if self.is_in_doubt:
                self.status, self._error = "error", answer.why

    def note_handshake(self, answer: Answer, now: datetime, chance: float) -> None:
        """Until its endpoint has answered a subscription is not active; after a few tries it must be asked for anew."""
        if answer.arrived:
            self._is_well(now)
            return
        self._failures += 1
        self._error = f"handshake: {answer.why}"
        self._rest_until = now + timedelta(seconds=retry_s(self._failures, answer.wait_s, chance))
        if answer.gone:
            self.status = "off"
        elif self._failures >= HANDSHAKES:
            self.status = "error"

    def standing(self) -> Standing:
        """What is written down when the subscription is given back."""
        return Standing(
            status=self.status,
            error=self._error,
            answered=self._answered,
            failures=self._failures,
            rest_until=self._rest_until,
            beat_at=self._beat_at,
        )

    def ended(self, event: Event, answer: Answer, now: datetime, chance: float) -> Ended:
        """What becomes of an event. A receiver that is down parks nothing: all of it goes when it is back."""
        wait_s = 0.0 if answer.arrived or answer.gone else retry_s(event.attempts + 1, answer.wait_s, chance)
        return Ended(
            id=event.id,
            subscription=self._held.id,
            lease=self._held.lease,
            state=self._state(event, answer, now),
            run_at=now + timedelta(seconds=wait_s),
            error=answer.why or None,
        )

    def _state(self, event: Event, answer: Answer, now: datetime) -> EndState:
        if answer.arrived:
            return "delivered"
        tried_for = now - (event.tried_since or now)
        to_be_parked = tried_for >= PARKED_AFTER and not answer.gone and not self.is_in_doubt
        return "parked" if to_be_parked else "waiting"

    def _is_well(self, now: datetime) -> None:
        self.status, self._error, self._answered = "active", "", True
        self._failures, self._rest_until = 0, None
        if self._held.heartbeat_s:
            self._beat_at = now + timedelta(seconds=self._held.heartbeat_s)

    def _leave_alone(self, answer: Answer, now: datetime, chance: float) -> None:
        seconds = rest_s(self._failures, answer.wait_s, chance)
        if seconds:
            self._rest_until = now + timedelta(seconds=seconds)
