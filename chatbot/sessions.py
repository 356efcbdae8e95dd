"""Conversations on the server: one hour after the last question nothing of them is left.

Gradio's own holder forgets a visitor's ``gr.State`` in time, but keeps what was last shown, the
configuration of every component and the visitor's key until 10,000 others have come: 70 KB for a
single question, and words that the visitor believes gone. Here a conversation is its ``gr.State``
and nothing else, and all of it goes.
"""

from copy import copy
from datetime import datetime, timedelta
from typing import Any

from fastapi import FastAPI
from gradio import Blocks
from gradio.state_holder import SessionState, StateHolder

SESSION_SECONDS = 3600  # since the last question; a telephone may lie in a pocket for a while
SESSIONS = 2_000  # conversations kept at most, the oldest go first; some 20 KB for each answer


class LeanState(SessionState):
    """One visitor's state without copies of the configuration, which only deep links need."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = SESSION_SECONDS

    def __setitem__(self, key: int, value: Any) -> None:  # noqa: ANN401 - whatever is kept
        """Keep the value of a ``gr.State``; components are the same for everybody."""
        if self.blocks_config.blocks[key].stateful:
            self.state_data[key] = value

    def _update_config(self, key: int) -> None:
        """Nothing is copied."""

    def _update_value_in_config(self, key: int, value: Any) -> None:  # noqa: ANN401
        """Nothing is copied."""


class Sessions(StateHolder):
    """Every visitor's state; Gradio asks it once a second to forget what is old."""

    def __init__(self, blocks: Blocks) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Gradio has no types here
        self.set_blocks(blocks)
        self.capacity = SESSIONS

    def __getitem__(self, session_id: str) -> SessionState:
        """The visitor's state, made at the first question."""
        with self.lock:
            self.session_data.setdefault(session_id, LeanState(self.blocks))
        return super().__getitem__(session_id)

    def delete_all_expired_state(self) -> None:
        """Forget whoever has asked nothing for ``SESSION_SECONDS``."""
        oldest = datetime.now() - timedelta(seconds=SESSION_SECONDS)
        with self.lock:
            for session_id, used in list(self.time_last_used.items()):
                if used < oldest:
                    self.session_data.pop(session_id, None)
                    del self.time_last_used[session_id]


def keep_sessions(app: FastAPI, page: Blocks) -> None:
    """Give the page that was mounted last on ``app`` this holder."""
    app.routes[-1].app.state_holder = Sessions(page)  # type: ignore[attr-defined]
