"""The page in a real browser, by keys alone; and that what people and jobs say is never taken for HTML."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("webauthn")
import uvicorn

from ocrkit.labelling.jobs import Job, NewTask, Store
from ocrkit.labelling.pools import POOLS
from ocrkit.labelling.server import Page, application
from ocrkit.labelling.tasks import example_tasks
from ocrkit.labelling.templates import load_template
from ocrkit.sockets import listen

SCRIPT = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"


@contextmanager
def served(store: Store, job: Job, **options: Any) -> Iterator[str]:
    """The address of a server that shows a job."""
    server = uvicorn.Server(uvicorn.Config(lambda *_: None, log_level="error"))
    listening = listen("127.0.0.1", 0)
    origin = f"http://localhost:{listening.getsockname()[1]}"
    server.config.app = application(Page(store, job, origin=origin, **options))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield origin
    finally:
        server.should_exit = True
        thread.join()


def wait_for(true: Callable[[], Any], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "that never came"
        time.sleep(0.02)


def press(browser: Any, *keys: str) -> None:
    """Press keys one after the other, the last one with those before it that are held."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    actions = ActionChains(browser, duration=0)
    held = [key for key in keys if key in (Keys.CONTROL, Keys.ALT, Keys.SHIFT)]
    for key in keys:
        actions = actions.key_down(key) if key in held else actions.send_keys(key)
    for key in held:
        actions = actions.key_up(key)
    actions.perform()


def shown(browser: Any) -> str:
    return browser.execute_script("return document.body.innerText")


def field(browser: Any) -> str:
    return browser.execute_script("return document.querySelector('input[name=text]')?.value ?? ''")


def test_a_contractor_comes_in_and_answers_by_keys_alone(browser: Any, store: Store) -> None:
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

    template = load_template("transcribe").model_copy(update={"instructions": SCRIPT, "title": SCRIPT[:100]})
    tasks = example_tasks(template)
    evil = NewTask("evil", {"reading": SCRIPT, "candidates": [SCRIPT]}, tasks[0].picture)
    job = store.add_job("words", template, [*tasks[:4], evil])
    device = VirtualAuthenticatorOptions()
    device.has_resident_key = device.has_user_verification = device.is_user_verified = True
    browser.add_virtual_authenticator(device)
    try:
        with served(store, job, pool=POOLS["contractors"], nda=f"Keep it to yourself. {SCRIPT}") as origin:
            browser.get(f"{origin}/#invitation={store.invite('Ada', 'contractors')}")
            wait_for(lambda: "Welcome" in shown(browser))
            press(browser, Keys.ENTER)
            wait_for(lambda: "Keep it to yourself" in shown(browser))
            press(browser, Keys.ENTER)
            wait_for(lambda: field(browser) == "Total")
            press(browser, Keys.ENTER)  # our reading is right
            wait_for(lambda: field(browser) == "9.90")
            press(browser, "3")
            wait_for(lambda: field(browser) == "lnvoice")
            press(browser, "Invoice", Keys.ENTER)  # a letter begins to type, in place of our reading
            wait_for(lambda: field(browser) == "No. O815")
            press(browser, Keys.TAB, "No. 0815", Keys.ENTER)  # and there figures are figures
            wait_for(lambda: field(browser) == SCRIPT)
            press(browser, Keys.ENTER)
            wait_for(lambda: "All done" in shown(browser))
            press(browser, Keys.CONTROL, "z")  # the last answer is taken back
            wait_for(lambda: field(browser) == SCRIPT)
            press(browser, Keys.ENTER)
            wait_for(lambda: "All done" in shown(browser))
            assert browser.title == "Labelling"
            severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
            assert severe == []
    finally:
        browser.remove_virtual_authenticator()
    assert [vote.value for vote in store.votes(job)] == [
        {"text": "Total"},
        {"choice": "unreadable"},
        {"text": "Invoice"},
        {"text": "No. 0815"},
        {"text": SCRIPT},
    ]


def test_an_answer_that_the_server_did_not_get_is_sent_again_and_one_to_mend_stays_in_its_field(
    browser: Any, store: Store
) -> None:
    from selenium.webdriver.common.keys import Keys

    template = load_template("transcribe").model_copy(update={"alphabet": "abcdefghijklmnopqrstuvwxyzTI.0123456789 "})
    job = store.add_job("words", template, example_tasks(template)[:2])
    options = {"pool": POOLS["notebook"], "local": "secret", "local_name": "me"}
    with served(store, job, **options) as origin:
        browser.get(f"{origin}/?key=secret")
        wait_for(lambda: field(browser) == "Total")
        press(browser, "T\u00f6tal", Keys.ENTER)
        wait_for(lambda: "not among those that the model learns" in shown(browser))
        assert field(browser) == "T\u00f6tal"
        browser.execute_script(
            "const real = window.fetch; window.fetch = () => { window.fetch = real; return Promise.reject(Error()) }"
        )
        press(browser, "Total", Keys.ENTER)
        wait_for(lambda: "does not answer" in shown(browser))
        wait_for(lambda: field(browser) == "9.90")
    assert [vote.value for vote in store.votes(job)] == [{"text": "Total"}]


@pytest.mark.parametrize("template", ["boxes", "kind", "verify"])
def test_every_template_can_be_answered_by_keys(browser: Any, store: Store, template: str) -> None:
    from selenium.webdriver.common.keys import Keys

    chosen = load_template(template)
    tasks = example_tasks(chosen)
    job = store.add_job("tasks", chosen, [tasks[2]] if template == "verify" else tasks[:1])
    keys = {
        "boxes": [Keys.ENTER, "mended", Keys.CONTROL, Keys.ENTER],
        "kind": ["2"],
        "verify": [Keys.ARROW_DOWN, Keys.ENTER],
    }
    options = {"pool": POOLS["notebook"], "local": "secret", "local_name": "me"}
    with served(store, job, **options) as origin:
        browser.get(f"{origin}/?key=secret")
        wait_for(lambda: browser.find_elements("css selector", ".picture canvas"))
        press(browser, *keys[template])
        wait_for(lambda: "All done" in shown(browser))
    (vote,) = store.votes(job)
    if template == "boxes":
        assert [box["text"] for box in vote.value["boxes"]] == ["Total", "mended", "lnvoice", "No. O815"]
    else:
        assert vote.value == {"kind": {"choice": "register_tapes"}, "verify": {"text": "Invoice"}}[template]
