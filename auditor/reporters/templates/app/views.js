/* One finding, one host: everything the report holds about them, on a page of its own. */

const TWINS = { "0.0.0.0": "::", "127.0.0.1": "::1" };
const UNSEEN = {
  unprivileged: "not visible", kernel: "kernel", "other-namespace": "other namespace", unknown: "unknown", "not-collected": "not collected",
};
const DUAL = { yes: "taken to accept IPv4 too", no: "IPv6 only", unknown: "may take IPv4 too" };
const HOST_ROWS = 1000;
const KERNEL_LINE = "The kernel’s line is in the run’s evidence and in report.json.";

const spellTime = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
const joinPort = (address, port) => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`);
const splitRemedy = (text) => {
  const [prose, ...lines] = text.split("\u2424");
  return { prose: prose.trim(), lines: lines.filter((line) => line.trim()) };
};
const sumOf = (listeners, column) => listeners.reduce((sum, one) => sum + one[column], 0);

const ownersOf = ({ owners }) => owners.map(({ pid, comm, exe, unit, container }) => {
  const about = [`pid ${pid}`, exe, unit, container && `container ${container}`];
  return `${or(comm, "?")} (${about.filter(Boolean).join(", ")})`;
});

const notesOf = (listeners) => {
  const duals = listeners.map((one) => one.dual_stack).filter((dual) => dual && !(listeners.length > 1 && dual === "no"));
  const { kind, netns, seen } = listeners[0];
  const waiting = sumOf(listeners, "pending");
  return [
    ...duals.map((dual) => DUAL[dual]),
    kind === "ephemeral-udp" && "ephemeral port, probably a client",
    netns !== "host" && `network namespace ${netns}`,
    seen === "some" && "seen in some readings only",
    waiting > 0 && `${waiting} waiting to be accepted`,
  ].filter(Boolean);
};

const foldTwins = (listeners) => {
  const { kinds, listeners: { kind, owners } } = fleet;
  const alike = ["proto", "port", "scope", "kind", "seen", "netns", "verdict", "by", "service", "user", "uid", "owner_status"];
  const groups = new Map();
  for (const one of listeners) {
    const { at, address } = one;
    const key = [TWINS[address] ?? address, ...alike.map((name) => kinds[name][kind[at]]), owners.get(at) ?? []].join("|");
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
};

const listenerTable = (caption, listeners) => {
  const groups = foldTwins(listeners);
  const states = new Set(listeners.map((one) => one.owner_status));
  const owned = states.size > 1 || states.has("known") || listeners.some(({ user, uid }) => user || uid >= 0);
  const cellsOf = (twins) => {
    const [{ verdict, port, proto, scope, service, user, uid, owner_status, by }] = twins;
    const addresses = twins.map(({ address }) => address).sort((a, b) => a.includes(":") - b.includes(":"));
    const known = ownersOf(twins[0]);
    const owners = known.length ? known : [UNSEEN[owner_status] ?? "unknown"];
    return [
      mark(verdict),
      `${port}/${proto}`,
      [addresses.flatMap((address, at) => [at ? " and " : "", code(address)]), notesOf(twins).map((note) => sub(note))],
      scope,
      or(service),
      owned && make("td.owner", user ?? (uid >= 0 && `uid ${uid}`), owners.map((owner) => sub(owner))),
      sumOf(twins, "sockets"),
      by ? [by.named, make("code.sub", by.place)] : "no policy line",
    ];
  };
  const headings = ["Verdict", numeric("Port"), "Address", "Scope", "Host’s label", owned && "Owner", numeric("Sockets"), "Decided by"];
  return [
    !owned && make("p.sub", `Owners: ${UNSEEN[[...states][0]] ?? "unknown"}.`),
    table(caption, headings, groups.map(cellsOf), "listeners"),
  ];
};

/* The kernel's own words: the first `address:port` of the line, as the report read it. */
const evidenceLines = (listeners) => listeners.filter(({ line }) => line !== undefined).map(({ line, address, port, proto }) => {
  const token = line.match(/\b[0-9A-F]{8}(?:[0-9A-F]{24})?:[0-9A-F]{4}\b/)?.[0];
  return make("li", block(line), token && make("p.sub.decode", code(token), " → ", code(joinPort(address, port)), ` (${proto})`));
});

const digest = (sum) => make("code.digest", or(sum));

const ledgerTable = (host) => table(`What was read on ${host.name}`,
  [{ label: "Source", header: true }, "Status", ...["Rows", "Listeners", "Rejected", "Duplicates"].map(numeric),
    "SHA-256 of what was read"],
  host.coverage.map(({ source, status, rows, listeners, rejected, duplicates, sum }) =>
    [code(source), make(`td.r-${status}`, status), rows, listeners, rejected, duplicates, digest(sum)]), "ledger");

const whenRead = ({ collected, skew }) => [
  ["Collected", collected === null ? null : spellTime(fleet.run.started + collected)],
  ["Clock against ours", skew === null ? null : [`${skew >= 0 ? "+" : "−"}${Math.abs(skew).toFixed(1)} s`,
    Math.abs(skew) >= 60 && make("strong.sub", "More than a minute off: times in its logs are not ours. See to its time service.")]],
];

const hostFacts = (host) => {
  const { ephemeral } = host;
  const key = host.key || (host.keyed ? "verified; in report.json" : null);
  return facts([
    ["Policies", host.policies.join(", ") || "none applies"],
    ["Groups", host.groups.join(", ")],
    ["Calls itself", host.namesake ? host.name : host.hostname],
    ["System", host.os],
    ["Kernel", host.kernel],
    ["Architecture", host.arch],
    ["Byte order", host.byte_order === "unknown" ? null : `${host.byte_order} endian`],
    ["Read as", host.root ? "root" : "an unprivileged user"],
    ["Network namespace", READERS[host.reader_netns]],
    ["Host key", key && code(key)],
    host.host_key_trust && ["Key trusted because", TRUST[host.host_key_trust]],
    ["Key exchange", host.kex],
    ...whenRead(host),
    ["Ephemeral ports", ephemeral && `${ephemeral[0]}–${ephemeral[1]}`],
    ["Sockets by state", hostStates(host)],
    host.labels.length > 0 && ["Labels", host.labels.join(", ")],
  ]);
};

const hostFindings = ({ name, findings }) => {
  const rank = ({ level }) => fleet.levels.indexOf(level);
  const rows = findings.sort((a, b) => rank(a) - rank(b));
  return table(`Findings of ${name}`, ["Severity", { label: "Finding", header: true }, "Rule"],
    rows.map((one) => [badge(one.level), [linkTo({ finding: one.id }, code(one.subject)), sub(one.message)], code(one.rule)]));
};

const hostListeners = (host) => {
  const rank = ({ verdict, port }) => VERDICTS.indexOf(verdict) * 1e6 + port;
  const listeners = host.listeners.sort((a, b) => rank(a) - rank(b));
  const shown = listeners.slice(0, HOST_ROWS);
  const missing = host.heard - shown.length;
  const clients = listeners.filter(({ kind, verdict }) => kind === "ephemeral-udp" && verdict === "ignored").length;
  return [
    make("h3", "Listeners"),
    listeners.length > 0 && listenerTable(`Listeners of ${host.name}`, shown),
    !listeners.length && make("p", host.full && !host.heard ? "Nothing listens there." : "None were seen."),
    clients > 0 && make("p.sub", `${plural(clients, "UDP socket")} on an ephemeral port, `,
      `probably ${clients === 1 ? "a client" : "clients"}: `, "shown and counted, not judged unless a policy says ephemeral_udp: warn or deny."),
    missing > 0 && make("p.note", `${plural(missing, "more listener")}, the allowed and ignored ones last, in report.json.`),
  ];
};

const viewHost = (host) => {
  const { name, address, phase, findings } = host;
  const gaps = gapsOf(host);
  const steps = stepsOf(host);
  const lines = evidenceLines(host.listeners.slice(0, HOST_ROWS));
  const reached = host.code === null;
  return {
    title: [name],
    content: [
      make("p.lead", badge(host.status), address !== name && code(address), copyLink({ host: name })),
      !reached && make("div.alert", make("p", make("strong", phase === "hostkey" ? "Not trusted" : "Not reached"),
        " (phase ", code(phase), ", code ", code(host.code), "): ", host.error, ". Nothing is known about what listens there.")),
      gaps.length > 0 && reached && make("div.alert", make("h3", "Not known"), make("ul", gaps.map((gap) => make("li", gap)))),
      steps.length > 0 && make("p.next", make("strong", "Next step: "), steps.join(" ")),
      findings.length > 0 && [make("h3", "Findings"), hostFindings(host)],
      reached && [
        hostListeners(host), hostExposures(host), hostUnix(host),
        make("h3", "Facts"), hostFacts(host),
        make("h3", "What was read"), ledgerTable(host),
      ],
      lines.length > 0 && dress(details(`The kernel’s own lines (${lines.length})`, make("ul.plain", lines)), { class: "raw" }),
    ],
  };
};

const listenersNear = ({ subject, host, port, proto, shownBy }) => {
  const said = ` ${subject.replaceAll(",", " ")} `;
  const netns = said.match(/ in netns (.+) $/)?.[1] ?? "host";
  return host.listeners.filter((one) => one.port === port && one.proto === proto && one.netns === netns
    && (one.at === shownBy || said.includes(` ${joinPort(one.address, port)} `)));
};

const NAMED = { services: "/etc/services", nat: "Rules of NAT", namespaces: "Tables of other network namespaces" };
const pathOf = (source) => NAMED[source] ?? `/proc/net/${source}`;

/* What a finding rests on that no listener shows: which sources, and what they say. */
const restsOn = ({ subject, rule, message, host }) => {
  if (SPAN.test(subject)) {
    const lines = range(fleet.exposures.starts, host.at).map(fleet.exposureAt).filter((one) => {
      const place = `${portOf(one).replace("any port", "every port")}${one.address === null ? "" : ` on ${one.address}`} `;
      return (subject.startsWith(`${place}to `) || subject.startsWith(`${place}over `)) && subject.includes(one.target);
    });
    return [["nat", "ip_vs"], lines.length ? lines.map(({ raw }) => block(raw)) : "The rule is in the run’s evidence and in report.json."];
  }
  if (rule === "missing-listener") {
    const proto = subject.match(/\/([a-z]+)/)?.[1];
    return [[proto, `${proto}6`], "No line of the kernel’s tables shows it; that is the finding."];
  }
  if (rule === "connection-states") return [["tcp", "tcp6"], `Counted over every line of the tables: ${hostStates(host)}.`];
  if (rule === "service-name-conflict") {
    const [, ports, name] = message.match(/calls (.+) (\S+); the policies mean/) ?? [];
    return [["services"], ["The host’s own /etc/services gives the name: ", code(`${name ?? ""}  ${ports ?? subject}`)]];
  }
  if (rule === "evidence-gap") return [[subject], "What could not be known is the finding."];
  if (fleet.open.includes(rule) || rule === "expired-waiver") {
    return [[], "It is about the inventory and the policies, or about the way to the host: nothing that was read there."];
  }
  return [[], KERNEL_LINE];
};

const UNFRAMED = ["exit-status", "cut-off", "no-frame", "broken-frame", "dirty-frame", "no-shell", "no-system"];
/* How the script ended: what did not end by itself with status 0 is a gap of the host. */
const endOf = ({ gaps }) => gaps.find(({ source }) => UNFRAMED.includes(source))?.reason ?? "it ended with exit status 0";

const evidenceOf = (finding, near) => {
  const { host } = finding;
  const seen = near.map(({ netns, proto, family }) => (netns === "host" ? `${proto}${family === "ipv6" ? "6" : ""}` : "namespaces"));
  const [wanted, said] = near.length ? [seen, KERNEL_LINE] : restsOn(finding);
  const lines = evidenceLines(near);
  const sources = host.coverage.filter(({ source }) => wanted.includes(source));
  const files = sources.map(({ source }) => pathOf(source)).filter((path) => path.startsWith("/"));
  return [
    make("h3", "Evidence"),
    lines.length ? make("ul.plain", lines) : make("p", said),
    facts([
      ...sources.map(({ source, status, rows, sum }) =>
        [pathOf(source), [status, `, ${plural(rows, "row")}`, sum && [", SHA-256 ", digest(sum)]]]),
      host.code === null && ["Command", `${files.length ? `cat ${files.join(" ")}, ` : ""}in one read-only script ${host.key || host.keyed ? "over SSH" : "on the machine itself"}; ${endOf(host)}`],
      near.length > 0 && ["Label", or(near[0].service, "none in the host’s /etc/services")],
      ...whenRead(host),
    ]),
  ];
};

const copyLink = (state) => make("span.link", copyButton(`${location.href.split("#")[0]}${writeHash(state)}`, "Copy link"));

const viewFinding = (finding) => {
  const { id, subject, level, rule, origin, controls, host: { name }, waived } = finding;
  const { prose, lines } = splitRemedy(finding.remedy);
  const near = listenersNear(finding);
  const about = fleet.rules[rule] ?? {};
  return {
    title: [code(subject)],
    content: [
      make("p.lead", badge(level), " on ", linkTo({ host: name }, name), copyLink({ finding: id })),
      waived > 0 && make("p.alert", "Waived by ", code(finding.waiver),
        ` until ${finding.expires}, ${finding.owner}: ${finding.reason}. It was ${finding.severity}.`),
      make("h3", "What"), make("p", finding.message),
      make("h3", "Why it matters"), make("p", about.meaning, " ", make("strong", "Risk: "), about.risk),
      make("h3", "What to do"), make("p", or(prose)), lines.length > 0 && snippet(lines),
      !waived && waiverAdvice(finding, near),
      facts([["Rule", linkTo({ rule }, code(rule))], ["Decided by", origin && code(origin)],
        ["Controls", controls.join(", ")], ["Id", code(id)]]),
      near.length > 0 && [make("h3", "Listeners"), listenerTable("Listeners of this finding", near)],
      evidenceOf(finding, near),
    ],
  };
};
