/* The four tabs that list rows: what their columns say, how they rank, and what an export of them holds. */

const fileOf = (place) => place.slice(place.lastIndexOf("/") + 1);
const listGroups = (names) => names.length ? names.join(", ") : "(no group)";

const findingsTab = (fleet) => {
  const { findings, hosts, word } = fleet;
  const of = (row) => findings.matter[row];
  const level = (row) => fleet.levels[findings.level[of(row)]];
  const at = (row) => findings.shownBy[row];
  const scope = (row) => (at(row) < 0 ? -1 : fleet.kinds.scope[fleet.listeners.kind[at(row)]]);
  return {
    target: "finding",
    noun: "finding",
    sort: "severity,host",
    all: () => findings.counted,
    columns: [
      { key: "severity", label: "Severity", rank: (row) => findings.level[of(row)], cell: (row) => badge(level(row)) },
      { key: "host", label: "Host", header: true, rank: (row) => hosts.name[findings.host[row]], cell: (row) => linkTo({ host: word(hosts.name[findings.host[row]]) }, word(hosts.name[findings.host[row]])) },
      { key: "finding", label: "Finding", rank: (row) => findings.subject[row], cell: (row) => [
        make("a", { href: writeHash({ finding: fleet.idOf(row) }), "data-opens": true, class: "subject" }, code(word(findings.subject[row]))),
        make("span", { class: "sub" }, word(findings.of.message[of(row)])),
        make("span", { class: "paper" }, splitRemedy(word(findings.of.remedy[of(row)])).prose)] },
      { key: "port", label: "Port", number: true, off: true, rank: (row) => findings.port[row], cell: (row) => (findings.port[row] < 0 ? null : `${findings.port[row]}/${word(findings.proto[row])}`) },
      { key: "rule", label: "Rule", rank: (row) => findings.of.rule[of(row)], cell: (row) => [code(word(findings.of.rule[of(row)])), make("code", { class: "sub" }, fileOf(or(word(findings.of.origin[of(row)]), "")))] },
      { key: "groups", label: "Groups", off: true, rank: (row) => hosts.groups[findings.host[row]], cell: (row) => listGroups(fleet.words(hosts.groups[findings.host[row]])) },
      { key: "scope", label: "Scope", off: true, rank: scope, cell: (row) => (scope(row) < 0 ? null : word(scope(row))) },
      { key: "controls", label: "Controls", off: true, rank: (row) => findings.of.controls[of(row)], cell: (row) => fleet.words(findings.of.controls[of(row)]).join(", ") },
    ],
    record: (row) => ({
      id: fleet.idOf(row), severity: fleet.severities[findings.of.severity[of(row)]], waived_by: word(findings.of.waiver[of(row)]) ?? "",
      rule: word(findings.of.rule[of(row)]), host: word(hosts.name[findings.host[row]]), address: word(hosts.address[findings.host[row]]),
      groups: fleet.words(hosts.groups[findings.host[row]]).join(" "), subject: word(findings.subject[row]), message: word(findings.of.message[of(row)]),
      remediation: word(findings.of.remedy[of(row)]).replaceAll("\u2424", " "), controls: fleet.words(findings.of.controls[of(row)]).join(" "), origin: word(findings.of.origin[of(row)]) ?? "",
    }),
  };
};

const hostsTab = (fleet) => {
  const { hosts, word } = fleet;
  const status = (row) => fleet.statuses[hosts.status[row]];
  const open = (row) => {
    let count = 0;
    for (let at = fleet.findings.starts[row]; at < fleet.findings.starts[row + 1]; at++) count += fleet.findings.of.waived[fleet.findings.matter[at]] ? 0 : 1;
    return count;
  };
  const unread = (row) => hosts.code[row] >= 0;
  return {
    target: "host",
    noun: "host",
    sort: "status,host",
    all: () => upTo(hosts.name.length),
    columns: [
      { key: "host", label: "Host", header: true, rank: (row) => hosts.name[row], cell: (row) => make("a", { href: writeHash({ host: word(hosts.name[row]) }), "data-opens": true }, word(hosts.name[row])) },
      { key: "status", label: "Status", rank: (row) => hosts.status[row], cell: (row) => badge(status(row)) },
      { key: "findings", label: "Findings", number: true, rank: open, cell: (row) => (unread(row) ? null : String(open(row))) },
      { key: "listeners", label: "Listeners", number: true, rank: (row) => (unread(row) ? -1 : hosts.heard[row]), cell: (row) => (unread(row) ? null : String(hosts.heard[row])) },
      { key: "groups", label: "Groups", rank: (row) => hosts.groups[row], cell: (row) => listGroups(fleet.words(hosts.groups[row])) },
      { key: "address", label: "Address", rank: (row) => hosts.address[row], cell: (row) => code(word(hosts.address[row])) },
      { key: "os", label: "System", off: true, rank: (row) => hosts.os[row], cell: (row) => word(hosts.os[row]) },
      { key: "kernel", label: "Kernel", off: true, rank: (row) => hosts.kernel[row], cell: (row) => word(hosts.kernel[row]) },
    ],
    record: (row) => ({
      host: word(hosts.name[row]), address: word(hosts.address[row]), status: status(row), groups: fleet.words(hosts.groups[row]).join(" "),
      policies: fleet.words(hosts.policies[row]).join(" "), listeners: unread(row) ? "" : hosts.heard[row], findings: unread(row) ? "" : open(row),
      error: word(hosts.code[row]) ?? "", message: word(hosts.error[row]) ?? "", os: word(hosts.os[row]) ?? "", kernel: word(hosts.kernel[row]) ?? "",
    }),
  };
};

const gapsOf = (fleet, host) => {
  const reasons = [];
  for (let at = fleet.gapStarts[host]; at < fleet.gapStarts[host + 1]; at++) reasons.push(fleet.word(fleet.gaps.reason[at]));
  for (let at = fleet.findings.starts[host]; at < fleet.findings.starts[host + 1]; at++) {
    const matter = fleet.findings.matter[at];
    if (fleet.open.includes(fleet.word(fleet.findings.of.rule[matter]))) reasons.push(fleet.word(fleet.findings.of.message[matter]));
  }
  return [...new Set(reasons)];
};

const stepsOf = (fleet, host) => {
  const steps = [fleet.word(fleet.hosts.hint[host])];
  for (let at = fleet.findings.starts[host]; at < fleet.findings.starts[host + 1]; at++) {
    const matter = fleet.findings.matter[at];
    if (fleet.open.includes(fleet.word(fleet.findings.of.rule[matter]))) steps.push(fleet.word(fleet.findings.of.remedy[matter]));
  }
  return [...new Set(steps)].filter(Boolean);
};

const unauditedTab = (fleet) => {
  const { hosts, word } = fleet;
  const why = (row) => (hosts.code[row] < 0 ? gapsOf(fleet, row).join(" · ") : word(hosts.error[row]));
  return {
    target: "host",
    noun: "host",
    sort: "reason,host",
    all: () => upTo(hosts.name.length).filter((row) => !hosts.full[row]),
    columns: [
      { key: "host", label: "Host", header: true, rank: (row) => hosts.name[row], cell: (row) => make("a", { href: writeHash({ host: word(hosts.name[row]) }), "data-opens": true }, word(hosts.name[row])) },
      { key: "status", label: "Status", rank: (row) => hosts.status[row], cell: (row) => badge(fleet.statuses[hosts.status[row]]) },
      { key: "reason", label: "Reason", rank: (row) => hosts.code[row], cell: (row) => (hosts.code[row] < 0 ? "read only in part" : code(word(hosts.code[row]))) },
      { key: "unknown", label: "What is not known, and what to do", cell: (row) => [make("span", {}, why(row)), make("span", { class: "sub" }, stepsOf(fleet, row).join(" "))] },
    ],
    record: (row) => ({
      host: word(hosts.name[row]), address: word(hosts.address[row]), status: fleet.statuses[hosts.status[row]], phase: word(hosts.phase[row]) ?? "",
      reason: word(hosts.code[row]) ?? "read only in part", unknown: why(row), next_step: stepsOf(fleet, row).join(" "),
    }),
  };
};

const VERDICTS = ["denied", "unexpected", "unknown", "waived", "allowed", "ignored"];
const mark = (verdict) => make("span", { class: `mark m-${verdict}` }, verdict);

const decidedBy = (fleet, kind) => {
  const by = fleet.kinds.by[kind];
  if (by < 0) return null;
  const { policy, entry, file, line } = fleet.decisions;
  const named = entry[by] < 0 ? `default of ${fleet.word(policy[by])}` : `${fleet.word(policy[by])}: ${fleet.word(entry[by])}`;
  return { named, place: `${fleet.word(file[by])}:${line[by]}` };
};

const listenersTab = (fleet) => {
  const { hosts, kinds, listeners, word } = fleet;
  const kind = (row) => listeners.kind[row];
  const verdictRank = kinds.verdict.map((number) => VERDICTS.indexOf(word(number)));
  const open = (row) => ({ href: writeHash({ host: word(hosts.name[listeners.host[row]]) }), "data-opens": true });
  return {
    target: "listener",
    noun: "listener",
    sort: "verdict,port",
    all: () => upTo(listeners.count),
    columns: [
      { key: "verdict", label: "Verdict", rank: (row) => verdictRank[kind(row)], cell: (row) => mark(word(kinds.verdict[kind(row)])) },
      { key: "port", label: "Port", number: true, rank: (row) => kinds.port[kind(row)], cell: (row) => `${kinds.port[kind(row)]}/${word(kinds.proto[kind(row)])}` },
      { key: "host", label: "Host", header: true, rank: (row) => hosts.name[listeners.host[row]], cell: (row) => make("a", open(row), word(hosts.name[listeners.host[row]])) },
      { key: "address", label: "Bound to", rank: (row) => listeners.address[row], cell: (row) => [code(word(listeners.address[row])), make("span", { class: "sub" }, word(kinds.scope[kind(row)]))] },
      { key: "service", label: "Host’s label", rank: (row) => kinds.service[kind(row)], cell: (row) => word(kinds.service[kind(row)]) },
      { key: "decided", label: "Decided by", rank: (row) => kinds.by[kind(row)], cell: (row) => {
        const by = decidedBy(fleet, kind(row));
        return by && [make("span", {}, by.named), make("code", { class: "sub" }, fileOf(by.place))];
      } },
    ],
    record: (row) => ({
      host: word(hosts.name[listeners.host[row]]), proto: word(kinds.proto[kind(row)]), address: word(listeners.address[row]), port: kinds.port[kind(row)],
      scope: word(kinds.scope[kind(row)]), service: word(kinds.service[kind(row)]) ?? "", verdict: word(kinds.verdict[kind(row)]),
      decided_by: decidedBy(fleet, kind(row))?.named ?? "", place: decidedBy(fleet, kind(row))?.place ?? "",
    }),
  };
};

const portsTab = (fleet) => {
  const { kinds, listeners, ports, word } = fleet;
  const { list, of, flagged, wide } = ports;
  let tally = null;

  const count = (mask) => {
    const empty = () => new Int32Array(list.length);
    tally = { hosts: empty(), listeners: empty(), flagged: empty(), wide: empty() };
    const last = empty().fill(-1);
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
  for (let kind = 0; kind < of.length; kind++) if (kinds.service[kind] >= 0 && labels[of[kind]].size < 4) labels[of[kind]].add(kinds.service[kind]);
  const labelsOf = (row, between) => [...labels[row]].map(word).join(between);
  const total = fleet.hosts.name.length;
  const number = (name) => (row) => tally[name][row].toLocaleString("en");
  return {
    target: "listener",
    noun: "port",
    sort: "-flagged,hosts,port",
    count,
    all: () => upTo(list.length),
    columns: [
      { key: "port", label: "Port", header: true, rank: (row) => list[row].port * 8 + list[row].proto % 8, cell: (row) => make("a", { href: writeHash({ tab: "ports", each: "1", q: `port:${list[row].port} proto:${word(list[row].proto)}` }), "data-opens": true }, list[row].label) },
      { key: "service", label: "Hosts’ label", cell: (row) => labelsOf(row, ", ") },
      { key: "hosts", label: "Hosts", number: true, rank: (row) => tally.hosts[row], cell: (row) => `${tally.hosts[row].toLocaleString("en")} of ${total.toLocaleString("en")}` },
      { key: "listeners", label: "Listeners", number: true, rank: (row) => tally.listeners[row], cell: number("listeners") },
      { key: "wide", label: "On every address", number: true, rank: (row) => tally.wide[row], cell: number("wide") },
      { key: "flagged", label: "Not allowed", number: true, rank: (row) => tally.flagged[row], cell: (row) => (tally.flagged[row] ? make("strong", { class: "m-denied" }, number("flagged")(row)) : "0") },
    ],
    record: (row) => ({ port: list[row].port, proto: word(list[row].proto), services: labelsOf(row, " "), hosts: tally.hosts[row], listeners: tally.listeners[row], on_every_address: tally.wide[row], not_allowed: tally.flagged[row] }),
  };
};
