/* The search: `port:23 host:web* -group:lab telnet`. Terms are joined by and, values after a comma by or. */

const FIELDS = {
  host: ["host", "group", "policy", "label", "status", "os", "kernel", "code", "reader"],
  listener: ["port", "proto", "scope", "address", "service", "verdict", "family", "netns", "user", "process", "kind"],
  finding: ["rule", "severity", "control", "id", "waiver", "change"],
  unix: ["path"],
  exposure: ["target", "via"],
};
const LEVEL_OF = new Map(Object.entries(FIELDS).flatMap(([level, names]) => names.map((name) => [name, level])));

const splitQuery = (query) =>
  [...query.matchAll(/(-?)(?:([a-z]+):)?("[^"]*"|\S+)/gi)].map(([whole, not, field, value]) => {
    const known = field && LEVEL_OF.has(field.toLowerCase());
    return known
      ? { not: Boolean(not), field: field.toLowerCase(), value: value.replaceAll('"', "") }
      : { not: Boolean(not), field: null, value: whole.slice(not.length).replaceAll('"', "") };
  }).filter((term) => term.value);

const joinQuery = (terms) =>
  terms.map(({ not, field, value }) => `${not ? "-" : ""}${field ? `${field}:` : ""}${/\s/.test(value) ? `"${value}"` : value}`).join(" ");

const globToTest = (value) => {
  const parts = value.toLowerCase().split(",").filter(Boolean).map((part) => {
    if (!/[*?]/.test(part)) return (text) => text === part;
    const pattern = part.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
    const glob = new RegExp(`^${pattern}$`, "s");
    return (text) => glob.test(text);
  });
  return (text) => parts.some((test) => test(text));
};

const rangesToTest = (value) => {
  const ranges = value.split(",").map((part) => part.split("-")).map(([low, high = low]) => [Number(low || NaN), Number(high || 65535)]);
  return (first, last = first) => ranges.some(([low, high]) => last >= low && first <= high);
};

const OF_EXPOSURES = new Set(["port", "proto", "address", "family"]);

const makeSearch = (fleet) => {
  const { text, hosts, kinds, listeners, findings, unix, exposures } = fleet;
  const lower = text.map((word) => word.toLowerCase());
  const together = lower.join("\n");
  const ends = new Int32Array(lower.length);
  lower.reduce((end, word, at) => (ends[at] = end + word.length + 1), 0);
  const of = findings.of;
  const maskOf = (count, test) => {
    const mask = new Uint8Array(count);
    for (let at = 0; at < count; at++) mask[at] = test(at) ? 1 : 0;
    return mask;
  };
  /* Whether a word passes a test, asked of each word once and only when it is met; -1 is no word. */
  const markWords = (test) => {
    const known = new Int8Array(lower.length).fill(-1);
    return (number) => {
      if (number < 0) return 0;
      if (known[number] < 0) known[number] = test(lower[number]) ? 1 : 0;
      return known[number];
    };
  };
  const spreadTo = (mask, owner) => {
    const found = new Uint8Array(owner.length);
    for (let at = 0; at < owner.length; at++) found[at] = mask[owner[at]];
    return found;
  };
  /* Which words hold a text: one search through all of them, for none has a newline. */
  const wordsWith = (value) => {
    const mask = new Uint8Array(lower.length);
    const part = value.toLowerCase();
    let word = 0;
    for (let at = together.indexOf(part); at >= 0; at = together.indexOf(part, ends[word])) {
      while (ends[word] <= at) word++;
      mask[word] = 1;
    }
    return (number) => (number < 0 ? 0 : mask[number]);
  };
  const setsWith = (words) => maskOf(fleet.sets.length, (at) => fleet.sets[at].some(words));

  const onHosts = (field, value) => {
    if (field === "status") {
      const test = globToTest(value);
      return maskOf(hosts.name.length, (at) => test(fleet.statuses[hosts.status[at]]));
    }
    const words = markWords(globToTest(value));
    const sets = { group: hosts.groups, policy: hosts.policies, label: hosts.labels }[field];
    if (sets) {
      const wanted = setsWith(words);
      return maskOf(hosts.name.length, (at) => wanted[sets[at]]);
    }
    if (field === "reader") return maskOf(hosts.name.length, (at) => words(hosts.reader_netns[at]));
    if (field === "host") return maskOf(hosts.name.length, (at) => words(hosts.name[at]) || words(hosts.address[at]));
    return maskOf(hosts.name.length, (at) => hosts[field][at] >= 0 && words(hosts[field][at]));
  };

  const ownersWith = (words) => maskOf(fleet.owners.pid.length, (at) => ["comm", "exe", "unit", "container"].some((name) => words(fleet.owners[name][at])));

  const onListeners = (field, value) => {
    if (field === "process") {
      const wanted = ownersWith(markWords(globToTest(value)));
      const mask = new Uint8Array(listeners.count);
      for (const [at, owners] of listeners.owners) mask[at] = owners.some((owner) => wanted[owner]) ? 1 : 0;
      return mask;
    }
    if (field === "address") {
      const words = markWords(globToTest(value));
      return maskOf(listeners.count, (at) => words(listeners.address[at]));
    }
    const kindMask = kindsWith(field, value);
    return spreadTo(kindMask, listeners.kind);
  };

  const kindsWith = (field, value) => {
    if (field === "port") {
      const test = rangesToTest(value);
      return maskOf(kinds.port.length, (at) => test(kinds.port[at]));
    }
    const words = markWords(globToTest(value));
    return maskOf(kinds.port.length, (at) => kinds[field][at] >= 0 && words(kinds[field][at]));
  };

  const onFindings = (field, value) => {
    const test = globToTest(value);
    if (field === "change") {
      const words = markWords(test);
      return maskOf(findings.count, (at) => words(findings.change[at] ?? -1));
    }
    if (field === "id") return maskOf(findings.count, (at) => test(fleet.idOf(at)) || value.startsWith(fleet.idOf(at)));
    const matters = field === "severity" ? of.rule.map((_, at) => test(fleet.levels[findings.level[at]])) : mattersWith(field, test);
    return spreadTo(matters, findings.matter);
  };

  const mattersWith = (field, test) => {
    const words = markWords(test);
    const sets = setsWith(words);
    const column = { rule: of.rule, waiver: of.waiver, control: of.controls }[field];
    return column.map((number) => number >= 0 && (field === "control" ? sets[number] : words(number)));
  };

  const onUnix = (field, value) => {
    const words = markWords(globToTest(value));
    return maskOf(unix.count, (at) => words(unix.path[unix.row[at]]));
  };

  const exposuresWith = (field, value) => {
    if (field === "port") {
      const test = rangesToTest(value);
      return exposures.port.map((port, at) => (port < 0 ? true : test(port, Math.max(port, exposures.last_port[at]))));
    }
    const words = markWords(globToTest(value));
    const column = exposures[{ via: "source" }[field] ?? field];
    return column.map((number) => number >= 0 && words(number));
  };
  const onExposures = (field, value) => {
    const wanted = exposuresWith(field, value);
    return maskOf(exposures.count, (at) => wanted[exposures.row[at]]);
  };

  const anyOf = (mask, owner, count) => {
    const found = new Uint8Array(count);
    for (let at = 0; at < mask.length; at++) if (mask[at]) found[owner[at]] = 1;
    return found;
  };

  const spread = {
    host: {
      host: (mask) => mask,
      listener: (mask) => spreadTo(mask, listeners.host),
      finding: (mask) => spreadTo(mask, findings.host),
    },
    listener: {
      host: (mask) => anyOf(mask, listeners.host, hosts.name.length),
      listener: (mask) => mask,
      finding: (mask) => maskOf(findings.count, (at) => findings.shownBy[at] >= 0 && mask[findings.shownBy[at]]),
    },
    finding: {
      host: (mask) => anyOf(mask, findings.host, hosts.name.length),
      listener: (mask) => {
        const found = new Uint8Array(listeners.count);
        for (let at = 0; at < mask.length; at++) if (mask[at] && findings.shownBy[at] >= 0) found[findings.shownBy[at]] = 1;
        return found;
      },
      finding: (mask) => mask,
    },
  };

  // A finding about a listener that is missing has a port and a protocol too, and no listener to ask.
  const alsoMissing = (mask, field, value) => {
    if (field !== "port" && field !== "proto") return mask;
    const test = field === "port" ? rangesToTest(value) : globToTest(value);
    for (let at = 0; at < findings.count; at++) {
      if (findings.shownBy[at] >= 0) continue;
      const own = field === "port" ? findings.port[at] : fleet.word(findings.proto[at]);
      if (own !== null && own !== -1 && test(own)) mask[at] = 1;
    }
    return mask;
  };

  const hostsNamed = (words) => {
    const groups = setsWith(words);
    return maskOf(hosts.name.length, (at) => words(hosts.name[at]) || words(hosts.address[at]) || groups[hosts.groups[at]] || words(hosts.code[at]));
  };

  const freely = (value, target) => {
    const words = wordsWith(value);
    const inHost = hostsNamed(words);
    const owners = ownersWith(words);
    const owned = (at) => Boolean(listeners.owners.size) && Boolean(listeners.owners.get(at)?.some((owner) => owners[owner]));
    const inKind = maskOf(kinds.port.length, (at) => words(kinds.service[at]) || words(kinds.proto[at]) || words(kinds.user[at]) || String(kinds.port[at]) === value);
    const inListener = (at) => inKind[listeners.kind[at]] || words(listeners.address[at]) || owned(at);
    if (target === "listener") return maskOf(listeners.count, (at) => inHost[listeners.host[at]] || inListener(at));
    if (target === "host") {
      const heard = anyOf(maskOf(listeners.count, inListener), listeners.host, hosts.name.length);
      return maskOf(hosts.name.length, (at) => inHost[at] || heard[at]);
    }
    const inMatter = maskOf(of.rule.length, (at) => words(of.rule[at]) || words(of.message[at]) || (of.waived[at] && words(of.waiver[at])));
    return maskOf(findings.count, (at) => inHost[findings.host[at]] || inMatter[findings.matter[at]] || words(findings.subject[at]) || (findings.shownBy[at] >= 0 && inListener(findings.shownBy[at])));
  };

  // Sockets without a port and ports without a socket belong to a host and to no listener or finding: the host leads.
  const beside = { unix, exposure: exposures };
  const toBeside = (mask, target) => spreadTo(mask, beside[target].host);

  const freelyBeside = (value, target) => {
    const words = wordsWith(value);
    const inHost = hostsNamed(words);
    const { row, host, count } = beside[target];
    const names = target === "unix" ? ["path"] : ["target", "address", "proto", "source", "raw"];
    const inRow = beside[target][names[0]].map((_, at) => names.some((name) => words(beside[target][name][at])) || String(beside[target].port?.[at]) === value);
    return maskOf(count, (at) => inHost[host[at]] || inRow[row[at]]);
  };

  const maskFor = ({ field, value }, target) => {
    if (!field) return target in beside ? freelyBeside(value, target) : freely(value, target);
    if (target === "exposure" && OF_EXPOSURES.has(field)) return onExposures(field, value);
    const level = LEVEL_OF.get(field);
    const own = { host: onHosts, listener: onListeners, finding: onFindings, unix: onUnix, exposure: onExposures }[level](field, value);
    if (level === target) return own;
    const inHost = level in beside ? anyOf(own, beside[level].host, hosts.name.length) : null;
    if (target in beside) return toBeside(inHost ?? spread[level].host(own), target);
    if (inHost) return spread.host[target](inHost);
    const mask = spread[level][target](own);
    return target === "finding" && level === "listener" ? alsoMissing(mask, field, value) : mask;
  };

  const known = new Map();
  const remember = (term, target) => {
    const key = `${target} ${term.field ?? ""}:${term.value}`;
    if (!known.has(key)) {
      if (known.size > 60) known.clear();
      known.set(key, maskFor(term, target));
    }
    return known.get(key);
  };

  /** Return a mask over all hosts, listeners or findings, or null where the query keeps every one. */
  return (query, target) => {
    const terms = splitQuery(query);
    if (!terms.length) return null;
    const masks = terms.map((term) => [remember(term, target), term.not ? 1 : 0]);
    const kept = new Uint8Array(masks[0][0].length).fill(1);
    for (const [mask, not] of masks) for (let at = 0; at < kept.length; at++) kept[at] &= mask[at] ^ not;
    return kept;
  };
};
