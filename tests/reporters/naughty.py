"""What a host, a policy or an inventory may try in a name: every way we know to make a reader's program act."""

MARKUP = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'\"><b>bold</b>",
    "javascript:alert(1)",
    "{{7*7}}${7*7}{%raw%}",
    "&lt;b&gt;&#60;b&#62;&amp;",
    "<!-- --><![CDATA[x]]>]]>",
)
TERMINAL = (
    "\x1b[2J\x1b[1;31mred",
    "\x1b]0;title\x07",
    "\x9b31m\x90q\x9c",
    "tab\tbell\x07back\x08del\x7f",
    "line\nfeed\r\nreturn\x0b\x0c\x85\u2028\u2029",
    "null\x00byte",
)
UNICODE = (
    "\u202eevil\u202c\u2066x\u2069",
    "zero\u200bwidth\ufeff\u2060\u00ad",
    "\ud800lone\udcff",
    "nonchar\ufffe\uffff",
    "tag\U000e0041\U000e007f",
    "Ω≈ç√∫ 社會 🏳️‍🌈 e\u0301",
    "x" * 5_000,
    "",
)
FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1",
    " =1+1",
    "＝1＋1",
    '=HYPERLINK("http://x","y")',
)
MARKDOWN = (
    "```\n# heading\n```",
    "` `` ``` x",
    "`",
    "a | b || \\| c \\",
    "[text](http://evil.example)![img](http://evil.example/x.png)",
    "[text]: http://evil.example",
    "http://evil.example www.evil.example evil@example.com",
    "@everyone #1 org/repo#2 GH-3 :tada: $x$",
    "# heading\n- item\n1. one\n> quote\n---\n| a |\n|---|",
    "*a* _b_ ~~c~~ **d** <u>e</u>",
    "\\",
)
COMMANDS = (
    "::error::forged",
    "\n::error file=x::forged",
    "\n::add-mask::x\r\n::stop-commands::token",
    "##[error]forged ##[group]g",
    "a,b:c=d%0A%25%3A::",
    "##vso[task.complete result=Succeeded;]",
)
NAUGHTY = (*MARKUP, *TERMINAL, *UNICODE, *FORMULAS, *MARKDOWN, *COMMANDS)
