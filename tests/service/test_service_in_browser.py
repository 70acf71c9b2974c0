"""The page in a browser: hand in, watch, search, see the hit on the page, forget; by keyboard, and when narrow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service_constants import ECHO, LIMITS, MODEL
from service_readers import document

from ocrkit.service.app import Face, FaceOptions
from ocrkit.service.index import Index
from ocrkit.service.queue import Queue, QueueOptions
from ocrkit.service.readers import WorkOptions
from ocrkit.service.store import Store
from ocrkit.service.work import Work
from ocrkit.sockets import listen


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A service whose reader reads what documents say."""
    import uvicorn

    store = Store(tmp_path / "service")
    options = WorkOptions(jails=1, limits=LIMITS, queue=QueueOptions(retry_s=(0.0,)), make=ECHO, model=MODEL.folder)
    work = Work(store, options)
    face = Face(store, Queue(store.queue), Index(store.index), lambda digest: MODEL, FaceOptions(at_once=1000))
    server = uvicorn.Server(uvicorn.Config(face.app(), log_config=None, access_log=False, lifespan="off"))
    listening = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    work.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join()
    work.stop()
    listening.close()


def test_a_document_goes_its_way_by_keyboard_alone(browser: Any, address: str, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.wait import WebDriverWait

    def until(script: str) -> Any:
        return WebDriverWait(browser, 120, 0.1).until(lambda driver: driver.execute_script(f"return {script}"))

    def focused(script: str = "document.activeElement") -> Any:
        return browser.execute_script(f"return {script}")

    browser.get(address)
    assert until("!document.getElementById('empty').hidden")
    names = {"good.pdf": "the <b>Xylophone</b> 19.90", "slow.pdf": "sleep:2", "bad <img>.pdf": "refuse"}
    for name, says in names.items():
        (tmp_path / name).write_bytes(document(says))
    browser.find_element("id", "files").send_keys("\n".join(str(tmp_path / name) for name in names))
    assert until("document.querySelector('.jail.reads')?.textContent.includes('slow.pdf')")
    assert until("document.querySelectorAll('#documents i.done').length == 2")
    assert until("document.querySelector('#counts').textContent.includes('1 could not be read')")
    listed = browser.find_element("id", "documents").text
    assert "could not be read: There is nothing in it." in listed
    assert "bad <img>.pdf" in listed

    # Searching, from the box to the word on its page, by Tab and Enter.
    browser.find_element("id", "q").send_keys("xylophone", Keys.ENTER)
    assert until("document.querySelectorAll('#hits rect.hit').length") == 1
    assert "<b>Xylophone</b>" in browser.find_element("id", "hits").text
    active = browser.switch_to.active_element
    for _ in range(4):
        active.send_keys(Keys.TAB)
        active = browser.switch_to.active_element
        if active.get_attribute("class") == "thumb":
            break
    active.send_keys(Keys.ENTER)
    assert until("document.querySelectorAll('#sheet rect.hit').length") == 1
    box = browser.execute_script(
        "return ['x','y','width','height'].map(n => Number(document.querySelector('#sheet rect.hit').getAttribute(n)))"
    )
    assert box == [95.5, 5.5, 89, 39]  # the second word of the line, and a rim
    assert (
        until("[...document.querySelectorAll('#sheet text')].map(t => t.firstChild.data).join(' ')")
        == names["good.pdf"]
    )
    assert until("document.querySelector('#sheet image').getBBox().width") == 500

    # Forgetting, which asks first.
    forget = browser.find_element("css selector", "#downloads button")
    forget.send_keys(Keys.ENTER)
    assert until("document.getElementById('sure').open")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert until("!document.getElementById('sure').open")
    forget.send_keys(Keys.ENTER)
    browser.switch_to.active_element.send_keys(Keys.TAB)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert until("!document.getElementById('home').hidden && document.querySelectorAll('#documents li').length == 2")
    browser.find_element("id", "q").clear()
    browser.find_element("id", "q").send_keys("xylophone", Keys.ENTER)
    assert until("document.getElementById('found').textContent == 'No page says this.'")

    size = {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for place in ("#", "#s/slept"):
            browser.get(address + place)
            assert until("document.querySelectorAll('#documents li').length == 2")
            assert focused("document.documentElement.scrollWidth") == 360
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
