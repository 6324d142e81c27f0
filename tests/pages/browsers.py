"""A browser without JavaScript: it keeps cookies, reads pages as HTML, and sends forms as they stand there."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

VOID = {"meta", "link", "input", "br", "hr", "img"}
ORIGIN = "http://test"


@dataclass
class Element:
    """A piece of a page."""

    tag: str
    attrs: dict[str, str]
    parts: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a reader reads."""
        words = "".join(part if isinstance(part, str) else f" {part.text} " for part in self.parts)
        return " ".join(words.split())

    @property
    def value(self) -> str:
        """The words in a textarea, as they are."""
        return "".join(part for part in self.parts if isinstance(part, str)).removeprefix("\n")

    def all(self, *tags: str, **attrs: str) -> list["Element"]:
        """Everything below with one of these tags and all of these attributes."""
        found = []
        for part in self.parts:
            if isinstance(part, Element):
                wanted = all(part.attrs.get(name.rstrip("_")) == value for name, value in attrs.items())
                if (not tags or part.tag in tags) and wanted:
                    found.append(part)
                found += part.all(*tags, **attrs)
        return found

    def one(self, *tags: str, **attrs: str) -> "Element":
        """The only one."""
        [found] = self.all(*tags, **attrs)
        return found


class _Reader(HTMLParser):
    """Builds the tree; a tag that is closed by another is a mistake."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def read(html: str) -> Element:
    """The page as a tree, every tag closed."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root], f"never closed: {reader.open[-1].tag}"
    return reader.root.one("html")


class Browser:
    """One person's browser: where it is, and what it did."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.response = httpx.Response(0)
        self.clicks = 0
        self.typed = 0

    @property
    def origin(self) -> str:
        return str(self.client.base_url).rstrip("/")

    @property
    def page(self) -> Element:
        return read(self.response.text)

    @property
    def text(self) -> str:
        return self.page.one("main").text

    @property
    def path(self) -> str:
        return self.response.url.raw_path.decode()

    async def open(self, path: str) -> "Browser":
        self.response = await self.client.get(path)
        return self

    async def follow(self, words: str) -> "Browser":
        """Click the link that says this."""
        self.clicks += 1
        link = next(each for each in self.page.all("a") if words in each.text)
        return await self.open(link.attrs["href"])

    def form(self, words: str) -> tuple[str, dict[str, str]]:
        """Where the form with this button goes, and what stands in it."""
        for form in self.page.all("form"):
            button = next((each for each in form.all("button") if words in each.text), None)
            if button is not None:
                return form.attrs["action"], _fields(form, button)
        raise AssertionError(f"no button ‘{words}’ on: {self.text}")

    async def press(self, words: str, /, **typed: str) -> "Browser":
        """Fill in and press the button that says this; underscores in names are dashes."""
        action, fields = self.form(words)
        self.clicks += 1
        for name, text in typed.items():
            assert name.replace("_", "-") in fields, f"no field {name} in {list(fields)}"
            fields[name.replace("_", "-")] = text
        self.typed += len(typed)
        return await self.post(action, fields)

    async def post(self, action: str, fields: dict[str, str], **headers: str) -> "Browser":
        """Send these fields as a browser does."""
        self.response = await self.client.post(
            action, data=fields, headers={"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **headers}
        )
        return self

    def counts(self) -> dict[str, str]:
        """How long each list is, by its tab."""
        tabs = self.page.one("nav", **{"aria-label": "Lijsten"}).all("a")
        return {words.rpartition(" ")[0]: words.rpartition(" ")[2] for words in (tab.text for tab in tabs)}

    async def sign_in(self, name: str) -> "Browser":
        await self.open("/login")
        await self.press(name)
        assert self.response.status_code == 200, self.response.text
        self.clicks = 0
        return self


def _fields(form: Element, button: Element) -> dict[str, str]:
    fields = {}
    for each in form.all("input", "textarea", "select"):
        name, kind = each.attrs.get("name", ""), each.attrs.get("type", "")
        if each.tag == "textarea":
            fields[name] = each.value
        elif each.tag == "select":
            options = each.all("option")
            chosen = next((option for option in options if "selected" in option.attrs), options[0])
            fields[name] = chosen.attrs["value"]
        elif kind == "radio":
            fields.setdefault(name, "")
            if "checked" in each.attrs:
                fields[name] = each.attrs["value"]
        else:
            fields[name] = each.attrs.get("value", "")
    if "name" in button.attrs:
        fields[button.attrs["name"]] = button.attrs["value"]
    return fields
