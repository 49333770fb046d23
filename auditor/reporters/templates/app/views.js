/* One finding, one host: everything the report holds about them, on a page of its own. */

const TWINS = { "0.0.0.0": "::", "127.0.0.1": "::1" };
const UNSEEN = { unprivileged: "not visible", kernel: "kernel", "other-namespace": "other namespace", unknown: "unknown", "not-collected": "not collected" };
const DUAL = { yes: "takes IPv4 too", no: "IPv6 only", unknown: "may take IPv4 too" };
const HOST_ROWS = 1000;

const spellTime = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
const joinPort = (address, port) => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`);
const splitRemedy = (text) => {
  const [prose, ...lines] = text.split("\u2424");
  return { prose: prose.trim(), lines: lines.filter((line) => line.trim()) };
};

const ownersOf = (fleet, row) => (fleet.listeners.owners.get(row) ?? []).map((one) => {
  const { pid, comm, exe, unit, container } = fleet.owners;
  const details = [`pid ${pid[one]}`, fleet.word(exe[one]), fleet.word(unit[one]), container[one] >= 0 && `container ${fleet.word(container[one])}`];
  return `${or(fleet.word(comm[one]), "?")} (${details.filter(Boolean).join(", ")})`;
});

const notesOf = (fleet, rows) => {
  const { kinds, listeners, word } = fleet;
  const notes = [];
  for (const row of rows) {
    const dual = word(kinds.dual_stack[listeners.kind[row]]);
    if (dual && !(rows.length > 1 && dual === "no")) notes.push(DUAL[dual]);
  }
  const kind = listeners.kind[rows[0]];
  if (word(kinds.kind[kind]) === "ephemeral-udp") notes.push("ephemeral port, probably a client");
  if (word(kinds.netns[kind]) !== "host") notes.push(`network namespace ${word(kinds.netns[kind])}`);
  if (word(kinds.seen[kind]) === "some") notes.push("seen in some readings only");
  const waiting = rows.reduce((sum, row) => sum + (listeners.pending.get(row) ?? 0), 0);
  if (waiting) notes.push(`${waiting} waiting to be accepted`);
  return notes;
};

const foldTwins = (fleet, rows) => {
  const { kinds, listeners, word } = fleet;
  const alike = ["proto", "port", "scope", "kind", "seen", "netns", "verdict", "by", "service", "user", "uid", "owner_status"];
  const groups = new Map();
  for (const row of rows) {
    const address = word(listeners.address[row]);
    const key = [TWINS[address] ?? address, ...alike.map((name) => kinds[name][listeners.kind[row]]), listeners.owners.get(row) ?? []].join("|");
    if (groups.has(key)) groups.get(key).push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()];
};

const listenerRow = (fleet, rows, owned) => {
  const { kinds, listeners, word } = fleet;
  const kind = listeners.kind[rows[0]];
  const by = decidedBy(fleet, kind);
  const addresses = rows.map((row) => word(listeners.address[row])).sort((a, b) => a.includes(":") - b.includes(":"));
  const user = word(kinds.user[kind]) ?? (kinds.uid[kind] >= 0 ? `uid ${kinds.uid[kind]}` : null);
  const owners = ownersOf(fleet, rows[0]);
  const sockets = rows.reduce((sum, row) => sum + kinds.sockets[listeners.kind[row]], 0);
  return make("tr", {},
    make("td", {}, mark(word(kinds.verdict[kind]))),
    make("td", { class: "number" }, `${kinds.port[kind]}/${word(kinds.proto[kind])}`),
    make("td", {}, addresses.flatMap((address, at) => [at ? " and " : "", code(address)]), notesOf(fleet, rows).map((note) => make("span", { class: "sub" }, note))),
    make("td", {}, word(kinds.scope[kind])),
    make("td", {}, or(word(kinds.service[kind]))),
    owned && make("td", { class: "owner" }, user, (owners.length ? owners : [UNSEEN[word(kinds.owner_status[kind])] ?? "unknown"]).map((owner) => make("span", { class: "sub" }, owner))),
    make("td", { class: "number" }, sockets),
    make("td", {}, by ? [by.named, make("code", { class: "sub" }, by.place)] : "no policy line"));
};

const listenerTable = (fleet, caption, groups) => {
  const kindOf = (rows) => fleet.listeners.kind[rows[0]];
  const states = new Set(groups.map((rows) => fleet.word(fleet.kinds.owner_status[kindOf(rows)])));
  const users = groups.some((rows) => fleet.kinds.user[kindOf(rows)] >= 0 || fleet.kinds.uid[kindOf(rows)] >= 0);
  const owned = states.size > 1 || states.has("known") || users;
  const headings = ["Verdict", { label: "Port", number: true }, "Address", "Scope", "Host’s label", owned && "Owner", { label: "Sockets", number: true }, "Decided by"];
  return [
    !owned && make("p", { class: "sub" }, `Owners: ${UNSEEN[[...states][0]] ?? "unknown"}.`),
    table(caption, headings.filter(Boolean), groups.map((rows) => listenerRow(fleet, rows, owned)), "listeners"),
  ];
};

/* The kernel's own words: the first `address:port` of the line, as the report read it. */
const evidenceLines = (fleet, rows) => rows.filter((row) => fleet.listeners.lines.has(row)).map((row) => {
  const line = fleet.listeners.lines.get(row);
  const kind = fleet.listeners.kind[row];
  const token = line.match(/\b[0-9A-F]{8}(?:[0-9A-F]{24})?:[0-9A-F]{4}\b/)?.[0];
  const read = joinPort(fleet.word(fleet.listeners.address[row]), fleet.kinds.port[kind]);
  return make("li", {}, make("pre", { tabindex: "0" }, make("code", {}, line)), token && make("p", { class: "sub decode" }, code(token), " → ", code(read), ` (${fleet.word(fleet.kinds.proto[kind])})`));
});

const coverageOf = (fleet, host) => {
  const rows = [];
  for (let at = fleet.coverageStarts[host]; at < fleet.coverageStarts[host + 1]; at++) rows.push({ ledger: fleet.coverage.ledger[at], sum: fleet.sums.get(at) });
  return rows;
};

const ledgerTable = (fleet, host) => {
  const { source, status, rows, listeners, rejected, duplicates } = fleet.ledgers;
  const number = { number: true };
  const headings = ["Source", "Status", { label: "Rows", ...number }, { label: "Listeners", ...number }, { label: "Rejected", ...number }, { label: "Duplicates", ...number }, "SHA-256 of what was read"];
  return table(`What was read on ${fleet.word(fleet.hosts.name[host])}`, headings, coverageOf(fleet, host).map(({ ledger, sum }) => make("tr", {},
    make("th", { scope: "row" }, code(fleet.word(source[ledger]))),
    make("td", { class: `r-${fleet.word(status[ledger])}` }, fleet.word(status[ledger])),
    [rows, listeners, rejected, duplicates].map((column) => make("td", { class: "number" }, column[ledger])),
    make("td", {}, code(or(sum), "digest")))), "ledger");
};

const hostFacts = (fleet, host) => {
  const { hosts, word } = fleet;
  const skew = hosts.skew[host];
  const ports = hosts.ephemeral[host];
  const key = hosts.key[host] || (hosts.keyed[host] ? "verified; in report.json" : null);
  const order = word(hosts.byte_order[host]);
  return facts([
    ["Policies", fleet.words(hosts.policies[host]).join(", ") || "none applies"],
    ["Groups", fleet.words(hosts.groups[host]).join(", ")],
    ["Calls itself", word(hosts.namesake[host] ? hosts.name[host] : hosts.hostname[host])],
    ["System", word(hosts.os[host])],
    ["Kernel", word(hosts.kernel[host])],
    ["Architecture", word(hosts.arch[host])],
    ["Byte order", order === "unknown" ? null : `${order} endian`],
    ["Read as", hosts.root[host] ? "root" : "an unprivileged user"],
    ["Network namespace", READERS[word(hosts.reader_netns[host])]],
    ["Host key", key && code(key)],
    hosts.host_key_trust[host] >= 0 && ["Key trusted because", TRUST[word(hosts.host_key_trust[host])]],
    ["Key exchange", word(hosts.kex[host])],
    ["Collected", hosts.collected[host] === null ? null : spellTime(fleet.run.started + hosts.collected[host])],
    ["Clock against ours", skew === null ? null : `${skew >= 0 ? "+" : "−"}${Math.abs(skew).toFixed(1)} s`],
    ["Ephemeral ports", ports && `${ports[0]}–${ports[1]}`],
    ["Sockets by state", hostStates(fleet, host)],
    fleet.words(hosts.labels[host]).length > 0 && ["Labels", fleet.words(hosts.labels[host]).join(", ")],
  ].filter(Boolean));
};

const findingRows = (fleet, host) => {
  const { findings, word } = fleet;
  const rows = Array.from({ length: findings.starts[host + 1] - findings.starts[host] }, (_, at) => findings.starts[host] + at);
  rows.sort((a, b) => findings.level[findings.matter[a]] - findings.level[findings.matter[b]]);
  return rows.map((row) => make("tr", {},
    make("td", {}, badge(fleet.levels[findings.level[findings.matter[row]]])),
    make("th", { scope: "row" }, linkTo({ finding: fleet.idOf(row) }, code(word(findings.subject[row]))), make("span", { class: "sub" }, word(findings.of.message[findings.matter[row]]))),
    make("td", {}, code(word(findings.of.rule[findings.matter[row]])))));
};

const range = (starts, at) => Array.from({ length: starts[at + 1] - starts[at] }, (_, step) => starts[at] + step);

const hostListeners = (fleet, host) => {
  const { kinds, listeners, word } = fleet;
  const rank = (row) => VERDICTS.indexOf(word(kinds.verdict[listeners.kind[row]])) * 1e6 + kinds.port[listeners.kind[row]];
  const rows = range(listeners.starts, host).sort((a, b) => rank(a) - rank(b));
  const left = fleet.hosts.heard[host] - rows.length;
  const shown = rows.slice(0, HOST_ROWS);
  const missing = left + rows.length - shown.length;
  const clients = rows.filter((row) => word(kinds.kind[listeners.kind[row]]) === "ephemeral-udp" && word(kinds.verdict[listeners.kind[row]]) === "ignored").length;
  return [
    make("h3", {}, "Listeners"),
    rows.length ? listenerTable(fleet, `Listeners of ${word(fleet.hosts.name[host])}`, foldTwins(fleet, shown)) : make("p", {}, fleet.hosts.full[host] && !left ? "Nothing listens there." : "None were seen."),
    clients > 0 && make("p", { class: "sub" }, `${plural(clients, "UDP socket")} on an ephemeral port, probably ${clients === 1 ? "a client" : "clients"}: shown and counted, not judged unless a policy says ephemeral_udp: warn or deny.`),
    missing > 0 && make("p", { class: "note" }, `${plural(missing, "more listener")}, the allowed and ignored ones last, in report.json.`),
  ];
};

const viewHost = (fleet, host) => {
  const { hosts, word } = fleet;
  const name = word(hosts.name[host]);
  const found = findingRows(fleet, host);
  const gaps = gapsOf(fleet, host);
  const steps = stepsOf(fleet, host);
  const lines = evidenceLines(fleet, range(fleet.listeners.starts, host).slice(0, HOST_ROWS));
  const reached = hosts.code[host] < 0;
  return {
    title: [name],
    content: [
      make("p", { class: "lead" }, badge(fleet.statuses[hosts.status[host]]), word(hosts.address[host]) !== name && code(word(hosts.address[host])), copyLink({ host: name })),
      !reached && make("div", { class: "alert" }, make("p", {}, make("strong", {}, "Not reached"), " (phase ", code(word(hosts.phase[host])), ", code ", code(word(hosts.code[host])), "): ", word(hosts.error[host]), ". Nothing is known about what listens there.")),
      gaps.length > 0 && reached && make("div", { class: "alert" }, make("h3", {}, "Not known"), make("ul", {}, gaps.map((gap) => make("li", {}, gap)))),
      steps.length > 0 && make("p", { class: "next" }, make("strong", {}, "Next step: "), steps.join(" ")),
      found.length > 0 && [make("h3", {}, "Findings"), table(`Findings of ${name}`, ["Severity", "Finding", "Rule"], found)],
      reached && [hostListeners(fleet, host), hostExposures(fleet, host), hostUnix(fleet, host)],
      reached && [make("h3", {}, "Facts"), hostFacts(fleet, host)],
      reached && [make("h3", {}, "What was read"), ledgerTable(fleet, host)],
      lines.length > 0 && make("details", { class: "raw" }, make("summary", {}, `The kernel’s own lines (${lines.length})`), make("ul", { class: "plain" }, lines)),
    ],
  };
};

const waiveSnippet = (fleet, row) => {
  const { findings, hosts, word } = fleet;
  const at = findings.port[row] < 0 ? "" : `, port: ${findings.port[row]}/${word(findings.proto[row])}`;
  return ["waivers:", `  - {id: w-${fleet.idOf(row).slice(0, 8)}, rule: ${word(findings.of.rule[findings.matter[row]])}, hosts: [${JSON.stringify(word(hosts.name[findings.host[row]]))}]${at},`,
    `     expires: ${fleet.run.expires}, owner: who answers for it, ticket: its number, reason: why it may stay until then}`];
};

const listenersNear = (fleet, row) => {
  const { findings, listeners, kinds, word } = fleet;
  const subject = ` ${word(findings.subject[row]).replaceAll(",", " ")} `;
  return range(listeners.starts, findings.host[row]).filter((at) => kinds.port[listeners.kind[at]] === findings.port[row] && kinds.proto[listeners.kind[at]] === findings.proto[row]
    && (at === findings.shownBy[row] || subject.includes(` ${joinPort(word(listeners.address[at]), findings.port[row])} `)));
};

const evidenceOf = (fleet, row, near) => {
  const { findings, hosts, word } = fleet;
  const host = findings.host[row];
  const lines = evidenceLines(fleet, near);
  const wanted = new Set(near.map((at) => `${word(fleet.kinds.proto[fleet.listeners.kind[at]])}${word(fleet.kinds.family[fleet.listeners.kind[at]]) === "ipv6" ? "6" : ""}`));
  const sources = coverageOf(fleet, host).filter(({ ledger }) => wanted.has(word(fleet.ledgers.source[ledger])));
  const skew = hosts.skew[host];
  return [
    make("h3", {}, "Evidence"),
    lines.length ? make("ul", { class: "plain" }, lines) : make("p", {}, near.length ? "The kernel’s line is in the run’s evidence and in report.json." : "No line of the kernel’s tables shows it; that is the finding."),
    facts([
      ...sources.map(({ ledger, sum }) => {
        const source = word(fleet.ledgers.source[ledger]);
        return [`/proc/net/${source}`, [word(fleet.ledgers.status[ledger]), `, ${plural(fleet.ledgers.rows[ledger], "row")}`, sum ? [", SHA-256 ", code(sum, "digest")] : ""]];
      }),
      ["Command", [...wanted].length ? `cat ${[...wanted].map((source) => `/proc/net/${source}`).join(" ")}, in one read-only script over SSH` : "one read-only script over SSH"],
      ["Label", near.length ? or(word(fleet.kinds.service[fleet.listeners.kind[near[0]]]), "none in the host’s /etc/services") : null],
      ["Collected", hosts.collected[host] === null ? null : spellTime(fleet.run.started + hosts.collected[host])],
      ["Clock against ours", skew === null ? null : `${skew >= 0 ? "+" : "−"}${Math.abs(skew).toFixed(1)} s`],
    ]),
  ];
};

const copyLink = (state) => make("span", { class: "link" }, copyButton(`${location.href.split("#")[0]}${writeHash(state)}`, "Copy link"));

const viewFinding = (fleet, row) => {
  const { findings, hosts, word } = fleet;
  const { of } = findings;
  const matter = findings.matter[row];
  const rule = word(of.rule[matter]);
  const remedy = splitRemedy(word(of.remedy[matter]));
  const near = listenersNear(fleet, row);
  const name = word(hosts.name[findings.host[row]]);
  const controls = fleet.words(of.controls[matter]);
  const waived = of.waived[matter] && [word(of.waiver[matter]), word(of.expires[matter]), word(of.owner[matter]), word(of.reason[matter])];
  const about = fleet.rules[rule] ?? {};
  return {
    title: [code(word(findings.subject[row]))],
    content: [
      make("p", { class: "lead" }, badge(fleet.levels[findings.level[matter]]), " on ", linkTo({ host: name }, name), copyLink({ finding: fleet.idOf(row) })),
      waived && make("p", { class: "alert" }, "Waived by ", code(waived[0]), ` until ${waived[1]}, ${waived[2]}: ${waived[3]}. It was ${fleet.severities[of.severity[matter]]}.`),
      make("h3", {}, "What"), make("p", {}, word(of.message[matter])),
      make("h3", {}, "Why it matters"), make("p", {}, or(about.meaning, ""), " ", make("strong", {}, "Risk: "), or(about.risk, "")),
      make("h3", {}, "What to do"), make("p", {}, or(remedy.prose)), remedy.lines.length > 0 && snippet(remedy.lines),
      !waived && !fleet.open.includes(rule) && [make("p", {}, "Or, when it has to stay for a while, say so and until when:"), snippet(waiveSnippet(fleet, row))],
      facts([["Rule", linkTo({ rule }, code(rule))], ["Decided by", word(of.origin[matter]) && code(word(of.origin[matter]))], ["Controls", controls.join(", ")], ["Id", code(fleet.idOf(row))]]),
      near.length > 0 && [make("h3", {}, "Listeners"), listenerTable(fleet, "Listeners of this finding", foldTwins(fleet, near))],
      evidenceOf(fleet, row, near),
    ],
  };
};
