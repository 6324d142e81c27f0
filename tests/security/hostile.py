"""What somebody may send who means no good, or whose program went wrong: the words of the grammar."""

MARK = "kzmark"  # in every hostile text: no statement may ever hold it
CLIENTS = (
    "his-demo", "his-demo", "welzijn-demo", "welzijn-demo", "ziekenhuis-demo", "apotheek-demo", "eloc-demo",
    "ketenteam-demo",
)  # fmt: skip
NOBODY = "00000000-0000-4000-8000-00000000dead"
HOSTILE = (
    "", " ", "null", "0", "-1", "1e999", "9" * 30, "\0", "\ud7ff", "\ufffe", "\u202e", "é", "😀", "%00", "%", "../..",
    "a" * 600, "{}", "[]", "*", "|", "||", ",", ",,", "$", "\\", "\\,", "a\\", "x|y|z", "'", "''", '"', "--", ";", "/*",
    f"{MARK}' or '1'='1", f"{MARK}'); drop table ketenzorg.resource; --", f"{MARK}$$; select pg_sleep(9); $$",
    f"{MARK}\\' or 1=1", f"{MARK}%s%n{{0}}", f"http://x|{MARK}'", f"Patient/{MARK}'", f"ge2026-01-01{MARK}'",
    f"-{MARK};drop", f"{MARK}.matches('(a+)+$')", f"Task.{MARK}", f"{{{{7*7}}}}{MARK}", f"<script>{MARK}</script>",
)  # fmt: skip
DATES = (
    "2026", "2026-02", "2026-02-30", "0000", "0001-01-01", "9999-12-31", "9999", "10000", "2026-01-01T24:00:00Z",
    "2026-01-01T23:59:60Z", "2026-01-01T10:00:00+14:00", "2026-01-01T10:00:00+14:01", "2026-01-01T10:00:00",
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-01-01T10:00:00.123456789Z", "2026-W03", "gisteren",
    "2026-01-12T09:30:00+01:00", "-2026-01-01", "2026-1-1",
)  # fmt: skip
NUMBERS = (
    "1.10",
    "-0.0",
    "1.20E2",
    "1e400",
    "1e-400",
    "1e999999",
    "9" * 19,
    "9" * 5000,
    "0.1e",
    "01",
    "NaN",
    "-Infinity",
)
MODIFIERS = (
    "missing", "exact", "contains", "not", "text", "in", "not-in", "above", "below", "of-type", "identifier", "iterate",
    "Patient", "Task", MARK, "",
)  # fmt: skip
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "")
CONTROLS = (
    "_id", "_lastUpdated", "_count", "_sort", "_cursor", "_total", "_summary", "_elements", "_format",
    "_pretty", "_tag",
    "_profile", "_security", "_include", "_include:iterate", "_revinclude", "_revinclude:iterate", "_filter", "_query",
    "_text", "_content", "_list", "_contained", "_type", "_since", "_at", "__proto__",
)  # fmt: skip
SPECIAL = (
    "_has:Observation:patient:code",
    "_has:Task:patient:_has:Task:focus:status",
    f"_has:{MARK}",
    "_has",
    "_has::",
)
VALUES = (
    "requested", "in-progress", "active", "true", "false", "welzijn-op-recept",
    "http://hl7.org/fhir/task-status|accepted",
    "|requested", "http://hl7.org/fhir/task-status|", "Organization/00000000-0000-4000-8000-000000000015",
    "json", "xml",
    "10", "0", "1000000000", "-_lastUpdated", "status,-_id", "count", "accurate", "text", "Task:owner", "Task:patient",
    "Task:*", "*", "Task:focus:ServiceRequest", "CarePlan:based-on",
)  # fmt: skip
HEADERS = {
    "Content-Type": ("application/json", "text/plain", "", ";", "a/b", "application/fhir+xml",
        "application/fhir+json; charset=x"),
    "Content-Encoding": ("gzip", "br", "identity", "", "gzip, gzip", "deflate"),
    "Accept": ("", "*/*", "application/xml", ",,,", "text/csv", "application/fhir+json;q=x", "application/pdf",
        "text/html"),
    "Accept-Language": ("nl", "*", "é;q=é", "x" * 3000),
    "If-Match": ('W/"1"', "*", "", 'W/"999999999999999999999"', '"', 'W/"-1"', 'W/"1", W/"2"', f'W/"{MARK}"'),
    "If-None-Match": ("*", 'W/"1"', '"', ""),
    "If-None-Exist": ("identifier=x|y", "", "&&&", f"identifier={MARK}'", "x" * 5000, "_id=*"),
    "If-Modified-Since": ("Mon, 12 Jan 2026 09:30:00 GMT", "gisteren", "Thu, 99 Xxx 0000 99:99:99 GMT", "9" * 20),
    "Idempotency-Key": ("een", "", "x" * 300, f"{MARK}'", "é", '"k"'),
    "Prefer": ("handling=strict", "handling=lenient", "return=minimal", "return=OperationOutcome", "=", ";,",
        "respond-async"),
    "X-Request-Id": ("", "a", "x" * 200, "a b", f"{MARK}'", "\xff"),
    "X-Correlation-Id": ("", "a", "x" * 200),
    "X-HTTP-Method-Override": ("DELETE", "BREW"),
    "Authorization": ("", "Bearer", "Bearer x.y.z", "Basic aGk6aGk=", "Bearer \xff"),
    "Cookie": ("ketenzorg=", "ketenzorg=a.b", ";;;", "ketenzorg=e30=.x"),
    "traceparent": ("00-0-0-0", f"{MARK}"),
    "Range": ("bytes=0-1", "bytes=-"),
    "Expect": ("x",),
}  # fmt: skip
