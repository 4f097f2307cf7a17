"""What every answer tells the browser: load nothing from elsewhere, keep nothing, tell nobody."""

import re
from html.parser import HTMLParser

import pytest

PAGES = ("/", "/gevaar/ja", "/melden/", "/melden/verhaal", "/terug", "/inloggen", "/beloftes", "/geen-bladzijde")


def policy_of(answer):
    parts = (part.strip().split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_lets_nothing_in_from_elsewhere_and_nothing_run_inline(client, path):
    policy = policy_of(client.get(path))

    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert {source for name, values in policy.items() if name.endswith("-src") for source in values} <= {
        "'none'",
        "'self'",
    }


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_kept_nowhere_and_says_nowhere_where_the_visitor_was(client, path):
    headers = client.get(path).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert ("X-Robots-Tag" in headers) is (path != "/")


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.addresses += [given[name] for name in ("src", "srcset", "action", "formaction") if given.get(name)]
        if tag == "link":
            self.addresses.append(given["href"])


@pytest.mark.parametrize("path", PAGES)
def test_a_page_as_it_is_sent_loads_from_our_own_address_only(client, path):
    loads = _Loads()
    loads.feed(client.get(path).get_data(as_text=True))

    assert loads.addresses
    assert [address for address in loads.addresses if not re.match(r"/(?!/)", address)] == []


def test_a_cookie_of_a_real_desk_is_bound_to_its_host_and_to_tls(tmp_path, clock):
    from weerbaar_meldpunt.actions.instance import create_instance
    from weerbaar_meldpunt.app import create_app

    real = create_instance(tmp_path / "real", now=clock.now, config='base_url = "https://meldpunt.voorbeeld.test"\n')
    cookie = create_app(instance=real, clock=clock, testing=True).test_client().get("/inloggen").headers["Set-Cookie"]

    assert cookie.startswith("__Host-wmp")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(re.split(r"; ?", cookie))
    assert "Domain" not in cookie
    real.engine.dispose()


def test_leaving_goes_to_a_neutral_page_and_ends_the_session(app, people, sign_in):
    client = sign_in(app.test_client(), people.reporter())

    answer = client.get("/snel-weg")

    assert answer.status_code == 303
    assert "meldpunt" not in answer.location
    assert client.get("/account").status_code == 303


def test_the_page_for_a_fault_shows_no_trace_and_the_log_no_words(app, client, caplog):
    import logging

    app.testing = False
    from weerbaar_meldpunt.web import errors

    errors.register(app)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.view_functions["help.promises"] = _failing

    with caplog.at_level(logging.INFO):
        answer = client.get("/beloftes?vraag=zonnebloemveld", headers={"User-Agent": "zonnebloemveld"})

    assert answer.status_code == 500
    page = answer.get_data(as_text=True)
    assert "Traceback" not in page
    assert "zonnebloemveld" not in page + caplog.text
    assert "112" in page
    assert "RuntimeError" in caplog.text


def _failing():
    raise RuntimeError("zonnebloemveld")


def test_closing_a_report_on_a_shared_computer_clears_what_the_browser_kept(client, form_token):
    answer = client.post("/mijn-melding/sluiten", data={"csrf_token": form_token(client, "/terug")})

    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
