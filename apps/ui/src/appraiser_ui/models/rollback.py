"""Taking the champion back from the page: a version, a reason, and the key of an operator."""

from collections.abc import Sequence
from typing import Final

import streamlit as st
from pydantic import ValidationError

from appraiser_schema import Alias, ModelVersion, Reign, RollbackOrder, RolledBack
from appraiser_ui import readings
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import plain
from appraiser_ui.models.verdicts import verdict
from appraiser_ui.notices import in_words, observe
from appraiser_ui.words import Language, current, say

DONE: Final = "rolled-back"
TURN: Final = "rollback-turn"
REFUSED: Final = "rollback-refused"
"""Where the session keeps what the last rollback came to; which form is drawn: after a rollback a new one, so that the
key does not stay in it; and why the last press came to nothing, which an open page that draws itself again must not
forget."""


def show_rollback(models: Sequence[ModelVersion], reigns: Sequence[Reign], url: str) -> None:
    """Draw the form, or say why there is none.

    Args:
        models: Newest first.
        reigns: Newest first.
        url: Address of the API.
    """
    champion = next((model.version for model in models if Alias.CHAMPION in model.aliases), None)
    others = [model for model in models if model.version != champion]
    _show_done()
    with st.expander(say("models.rollback.title"), icon=":material/undo:", key="rollback"):
        if champion is None or not others:
            st.markdown(say("models.rollback.nothing"))
            return
        service = observe(lambda: readings.service(url))
        if not isinstance(service, ApiError) and not service.keys_needed:
            st.info(say("models.rollback.no_keys"), icon=":material/key_off:")
            return
        st.markdown(say("models.rollback.what", version=champion))
        _form(others, reigns, url)


def _form(others: Sequence[ModelVersion], reigns: Sequence[Reign], url: str) -> None:
    turn = st.session_state.setdefault(TURN, 0)
    named = {model.version: model for model in others}
    versions = list(named)
    before = next((reign.version for reign in reigns[1:] if reign.version in named), versions[0])
    with st.form(f"rollback-{turn}", border=False):
        version = st.selectbox(
            say("models.rollback.version"),
            versions,
            index=versions.index(before),
            format_func=lambda number: say(
                "models.rollback.option", version=number, verdict=verdict(named[number]).words
            ),
        )
        why = st.text_input(say("models.rollback.why"), max_chars=500, placeholder=say("models.rollback.why_example"))
        key = st.text_input(
            say("models.rollback.key"), type="password", help=say("models.rollback.key_help"), autocomplete="off"
        )
        pressed = st.form_submit_button(say("models.rollback.go"), type="primary")
    if pressed:
        st.session_state[REFUSED] = _ask(version, why, key.strip(), url)
        if not st.session_state[REFUSED]:
            st.rerun()
    for reason in st.session_state.get(REFUSED, ()):
        if isinstance(reason, ApiError):
            st.error(in_words(reason), icon=":material/block:")
        else:
            st.error(say(f"models.rollback.{reason}"), icon=":material/edit:")


def _ask(version: int, why: str, key: str, url: str) -> list[str | ApiError]:
    """Roll back, or tell why not: what is missing, or the API's error."""
    missing: list[str | ApiError] = [name for name, value in (("no_reason", why.strip()), ("no_key", key)) if not value]
    if missing:
        return missing
    try:
        with st.spinner(say("models.rollback.trying", version=version)):
            done = readings.connect(url).rollback(RollbackOrder(version=version, why=why), key)
    except ValidationError:
        return ["no_reason"]
    except ApiError as error:
        return [error]
    st.session_state[DONE] = done
    st.session_state[TURN] += 1
    for reading in (readings.models, readings.history, readings.ready):
        reading.clear()
    return []


def _show_done() -> None:
    done = st.session_state.pop(DONE, None)
    if not isinstance(done, RolledBack):
        return
    text = say("models.rollback.done" if done.moved else "models.rollback.already", version=done.version)
    notes = [plain(note) for note in done.notes] if current() is Language.ENGLISH else []
    st.success(" ".join([text, *notes]), icon=":material/check_circle:")
