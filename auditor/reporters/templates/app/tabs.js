/* The tabs that list rows: what their columns say of an opened row, how they rank rows, and what an export of them holds. */

const fileOf = (place) => place.slice(place.lastIndexOf("/") + 1);
const onPaper = ({ prose, lines }) => [make("span.paper", prose), lines.length > 0 && make("code.paper", lines.join("\n"))];
const portLabel = ({ port, proto }) => (port < 0 ? null : `${port}/${proto}`);

/* Columns that name the host of a row, or its groups: `places` says which host a row is of, and `hostOf` opens it. */
const itself = (host) => host;
const ownHost = ({ host }) => host;
const hostColumn = (places, hostOf = ownHost) => ({
  key: "host", tip: true, label: "Host", header: true,
  rank: (at) => fleet.hosts.name[places[at]],
  cell: (row) => opening({ host: hostOf(row).name }, hostOf(row).name),
});
const groupsColumn = (places, hostOf = ownHost) => ({
  key: "groups", tip: true, label: "Groups",
  rank: (at) => fleet.hosts.groups[places[at]],
  cell: (row) => hostOf(row).groups.join(", ") || "(no group)",
});
const statusColumn = { key: "status", label: "Status", rank: (at) => fleet.hosts.status[at], cell: ({ status }) => badge(status) };

const findingsTab = () => {
  const { findings, kinds, listeners } = fleet;
  const { of, matter } = findings;
  const scope = (at) => (at < 0 ? -1 : kinds.scope[listeners.kind[at]]);
  const scopeOf = ({ shownBy }) => fleet.word(scope(shownBy));
  return {
    target: "finding",
    noun: "finding",
    sort: "severity,host",
    open: fleet.findingAt,
    all: () => findings.counted,
    columns: [
      { key: "severity", label: "Severity", rank: (at) => findings.level[matter[at]],
        cell: ({ level, waived, severity }) => [badge(level), waived > 0 && ` was ${severity}`] },
      { ...hostColumn(findings.host), cell: ({ host: { name } }) => linkTo({ host: name }, name) },
      { key: "finding", label: "Finding", rank: (at) => findings.subject[at], cell: (one) => [
        dress(opening({ finding: one.id }, code(one.subject)), { class: "subject" }),
        sub(one.message),
        one.waived > 0 && make("span.paper", `Waived until ${one.expires}, ${one.owner}: ${one.reason}`),
        onPaper(splitRemedy(one.remedy))] },
      { key: "port", label: "Port", number: true, off: true, rank: (at) => findings.port[at], cell: portLabel },
      { key: "rule", label: "Rule", rank: (at) => of.rule[matter[at]],
        cell: ({ rule, origin }) => [code(rule), make("code.sub", fileOf(or(origin, "")))] },
      { ...groupsColumn(findings.host), off: true },
      { key: "scope", label: "Scope", off: true, rank: (at) => scope(findings.shownBy[at]), cell: scopeOf },
      { key: "controls", label: "Controls", off: true, rank: (at) => of.controls[matter[at]], cell: ({ controls }) => controls.join(", ") },
    ],
    record: (one) => ({
      id: one.id, severity: one.severity, waived_by: one.waiver,
      waived_until: one.expires, waiver_owner: one.owner, waiver_reason: one.reason,
      rule: one.rule, host: one.host.name, address: one.host.address, groups: one.host.groups.join(" "),
      subject: one.subject, message: one.message, remediation: one.remedy.replaceAll("\u2424", " "),
      controls: one.controls.join(" "), origin: one.origin, port: one.port < 0 ? null : one.port, proto: one.proto, scope: scopeOf(one),
    }),
  };
};

const hostsTab = () => {
  const { hosts, findings, word } = fleet;
  const { waived, rule } = findings.of;
  const decided = waived.map((by, matter) => (by || fleet.open.includes(word(rule[matter])) ? 0 : 1)); // as the cards above count
  const open = (at) => {
    let count = 0;
    for (let row = findings.starts[at]; row < findings.starts[at + 1]; row++) count += decided[findings.matter[row]];
    return count;
  };
  const counts = (host) => (host.code === null ? { findings: open(host.at), listeners: host.heard } : {});
  const every = upTo(hosts.name.length);
  return {
    target: "host",
    noun: "host",
    sort: "status,host",
    open: fleet.hostAt,
    all: () => every,
    columns: [
      hostColumn(every, itself),
      statusColumn,
      { key: "findings", label: "Findings", number: true, rank: open, cell: (host) => counts(host).findings?.toString() },
      { key: "listeners", label: "Listeners", number: true, rank: (at) => (hosts.code[at] < 0 ? hosts.heard[at] : -1),
        cell: (host) => counts(host).listeners?.toString() },
      groupsColumn(every, itself),
      { key: "address", tip: true, label: "Address", rank: (at) => hosts.address[at], cell: ({ address }) => code(address) },
      { key: "os", label: "System", off: true, rank: (at) => hosts.os[at], cell: ({ os }) => os },
      { key: "kernel", label: "Kernel", off: true, rank: (at) => hosts.kernel[at], cell: ({ kernel }) => kernel },
    ],
    record: (host) => ({
      host: host.name, address: host.address, status: host.status, groups: host.groups.join(" "), policies: host.policies.join(" "),
      listeners: counts(host).listeners, findings: counts(host).findings,
      error: host.code, message: host.error, os: host.os, kernel: host.kernel,
    }),
  };
};

const undecided = (host) => host.findings.filter(({ rule }) => fleet.open.includes(rule));

const gapsOf = (host) => {
  const reasons = undecided(host).map(({ message }) => message);
  for (const { source, reason } of host.gaps) if (!reasons.some((said) => said.includes(reason))) reasons.push(`${source}: ${reason}`);
  return [...new Set(reasons)];
};

const stepsOf = (host) => [...new Set([host.hint, ...undecided(host).map(({ remedy }) => remedy)])].filter(Boolean);

const unauditedTab = () => {
  const { hosts } = fleet;
  const every = upTo(hosts.name.length);
  const reasonOf = ({ code }) => code ?? "read only in part";
  const why = (host) => (host.code === null ? gapsOf(host).join(" · ") : host.error);
  return {
    target: "host",
    noun: "host",
    sort: "reason,host",
    open: fleet.hostAt,
    all: () => every.filter((at) => !hosts.full[at]),
    columns: [
      hostColumn(every, itself),
      statusColumn,
      { key: "reason", label: "Reason", rank: (at) => hosts.code[at],
        cell: (host) => (host.code === null ? reasonOf(host) : code(host.code)) },
      { key: "unknown", label: "What is not known, and what to do",
        cell: (host) => [make("span", why(host)), sub(stepsOf(host).join(" "))] },
    ],
    record: (host) => ({
      host: host.name, address: host.address, status: host.status, phase: host.phase,
      reason: reasonOf(host), unknown: why(host), next_step: stepsOf(host).join(" "),
    }),
  };
};

const VERDICTS = ["denied", "unexpected", "unknown", "waived", "allowed", "ignored"];
const mark = (verdict) => make(`span.mark.m-${verdict}`, verdict);

const listenersTab = () => {
  const { kinds, listeners, word } = fleet;
  const { kind } = listeners;
  const verdictRank = kinds.verdict.map((number) => VERDICTS.indexOf(word(number)));
  return {
    target: "listener",
    noun: "listener",
    sort: "verdict,port",
    open: fleet.listenerAt,
    all: () => upTo(listeners.count),
    columns: [
      { key: "verdict", label: "Verdict", rank: (at) => verdictRank[kind[at]], cell: ({ verdict }) => mark(verdict) },
      { key: "port", label: "Port", number: true, rank: (at) => kinds.port[kind[at]], cell: portLabel },
      hostColumn(listeners.host),
      { key: "address", tip: true, label: "Bound to", rank: (at) => listeners.address[at],
        cell: ({ address, scope }) => [code(address), sub(scope)] },
      { key: "service", tip: true, label: "Host’s label", rank: (at) => kinds.service[kind[at]], cell: ({ service }) => service },
      { key: "decided", label: "Decided by", rank: (at) => kinds.by[kind[at]],
        cell: ({ by }) => by && [make("span", by.named), make("code.sub", fileOf(by.place))] },
    ],
    record: (one) => ({
      host: one.host.name, proto: one.proto, address: one.address, port: one.port, scope: one.scope, service: one.service,
      verdict: one.verdict, decided_by: one.by?.named, place: one.by?.place, groups: one.host.groups.join(" "),
      family: one.family, kind: one.kind, netns: one.netns, user: one.user, uid: one.uid < 0 ? null : one.uid,
      owners: ownersOf(one).join("; "), owner_status: one.owner_status, sockets: one.sockets,
    }),
  };
};

const portsTab = () => {
  const { kinds, listeners, ports, word } = fleet;
  const { list, of, flagged, wide } = ports;
  let tally = null;

  const count = (mask) => {
    const empty = () => new Int32Array(list.length);
    tally = { hosts: empty(), listeners: empty(), flagged: empty(), wide: empty() };
    const last = minus(list.length);
    for (let at = 0; at < listeners.count; at++) {
      if (mask && !mask[at]) continue;
      const kind = listeners.kind[at];
      const port = of[kind];
      tally.listeners[port]++;
      tally.flagged[port] += flagged[kind];
      tally.wide[port] += wide[kind];
      if (last[port] !== listeners.host[at]) { last[port] = listeners.host[at]; tally.hosts[port]++; }
    }
    return upTo(list.length).filter((row) => tally.listeners[row]);
  };

  const labels = list.map(() => new Set());
  kinds.service.forEach((service, kind) => {
    if (service >= 0 && labels[of[kind]].size < 4) labels[of[kind]].add(service);
  });
  const labelsOf = (row, between) => [...labels[row]].map(word).join(between);
  const total = fleet.hosts.code.filter((error) => error < 0).length; // as the charts above: those that could be read
  const counted = (key, label, cell = (row) => digits(tally[key][row])) =>
    ({ key, label, number: true, rank: (row) => tally[key][row], cell });
  return {
    target: "listener",
    noun: "port",
    sort: "-flagged,hosts,port",
    count,
    open: (row) => row,
    all: () => upTo(list.length),
    columns: [
      { key: "port", label: "Port", header: true, rank: (row) => list[row].port * 8 + list[row].proto % 8,
        cell: (row) => opening({ tab: "ports", each: "1", q: `port:${list[row].port} proto:${word(list[row].proto)}` }, list[row].label) },
      { key: "service", tip: true, label: "Hosts’ label", cell: (row) => labelsOf(row, ", ") },
      counted("hosts", "Hosts", (row) => `${digits(tally.hosts[row])} of ${digits(total)}`),
      counted("listeners", "Listeners"),
      counted("wide", "On every address"),
      counted("flagged", "Not allowed", (row) => (tally.flagged[row] ? make("strong.m-denied", digits(tally.flagged[row])) : "0")),
    ],
    record: (row) => ({
      port: list[row].port, proto: word(list[row].proto), services: labelsOf(row, " "), hosts: tally.hosts[row],
      listeners: tally.listeners[row], on_every_address: tally.wide[row], not_allowed: tally.flagged[row],
    }),
  };
};
