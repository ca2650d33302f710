"""The first start of JupyterLab with what the environment carries."""


def test_a_first_start_shows_the_contents_and_asks_nothing(lab, chrome):
    lab.write("first.ipynb", ["1 + 1"])
    page = chrome.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{lab.url}/lab/tree/first.ipynb?reset&token={lab.token}")
    page.locator("#table-of-contents").wait_for()
    page.locator(".jp-NotebookPanel .jp-Cell").wait_for()
    assert page.locator("#filebrowser").is_hidden()
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".Toastify__toast").count() == 0
    assert [url for url in asked if "/lab/api/news" in url or "/lab/api/update" in url] == []
    page.close()
