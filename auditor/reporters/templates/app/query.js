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
      : { not: Boolean(not), field: null, value: whole.slice(not.length).replaceAll('"', ""), unknown: field };
  }).filter((term) => term.value);

/* What to say of a search that finds nothing: perhaps a field is spelt in a way this page does not know. */
const explainNothing = (query) => splitQuery(query).filter((term) => term.unknown).map(({ unknown }) => {
  const near = [...LEVEL_OF.keys()].filter((name) => name.startsWith(unknown.toLowerCase()) || unknown.toLowerCase().startsWith(name));
  return ` There is no field “${unknown}:”, so it was looked for as text.${near.length ? ` Perhaps ${near.map((name) => `${name}:`).join(" or ")}?` : ""}`;
}).join("");

const joinQuery = (terms) =>
  terms.map(({ not, field, value }) => `${not ? "-" : ""}${field ? `${field}:` : ""}${/\s|^-/.test(value) || (!field && LEVEL_OF.has(value.split(":")[0].toLowerCase())) ? `"${value}"` : value}`).join(" ");

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
  const ranges = value.split(",").map((part) => part.split("-")).map(([low, high = low]) => ({ low: Number(low || NaN), high: Number(high || 65535) }));
  return (first, last = first) => ranges.some((range) => last >= range.low && first <= range.high);
};

/* The number that is written so, or NaN: comparing numbers makes no text of each of thousands. */
const numberIn = (value) => (String(Number(value)) === value ? Number(value) : NaN);

const EXPOSURE_TEXTS = ["target", "address", "proto", "source", "raw"];
const OF_EXPOSURES = ["port", "proto", "address", "family"];

/* Masks over rows: which ones pass a test; those whose owner is in a mask; the owners of those in a mask; and both. */
const maskOf = (count, test) => {
  const mask = new Uint8Array(count);
  for (let at = 0; at < count; at++) mask[at] = test(at) ? 1 : 0;
  return mask;
};
const spreadTo = (mask, owner) => {
  const found = new Uint8Array(owner.length);
  for (let at = 0; at < owner.length; at++) found[at] = mask[owner[at]];
  return found;
};
const anyOf = (mask, owner, count) => {
  const found = new Uint8Array(count);
  for (let at = 0; at < mask.length; at++) if (mask[at]) found[owner[at]] = 1;
  return found;
};
const bothOf = (one, other) => {
  const found = new Uint8Array(one.length);
  for (let at = 0; at < found.length; at++) found[at] = one[at] & other[at];
  return found;
};
const addTo = (one, other) => {
  for (let at = 0; at < one.length; at++) one[at] |= other[at];
  return one;
};

const makeSearch = () => {
  const { text, hosts, kinds, listeners, findings, unix, exposures, pairs } = fleet;
  const { of } = findings;
  const every = hosts.name.length;
  const lower = text.map((word) => word.toLowerCase());
  const together = lower.join("\n");
  const ends = new Int32Array(lower.length);
  lower.reduce((end, word, at) => (ends[at] = end + word.length + 1), 0);
  /* Whether a word passes a test, asked of each word once and only when it is met; -1 is no word. */
  const wordsThat = (test) => {
    const known = new Int8Array(lower.length).fill(-1);
    return (number) => {
      if (number < 0) return 0;
      if (known[number] < 0) known[number] = test(lower[number]) ? 1 : 0;
      return known[number];
    };
  };
  const wordsLike = (value) => wordsThat(globToTest(value));
  /* Which words hold a text: one search through all of them, for none has a newline. */
  const findText = (value) => {
    const mask = new Uint8Array(lower.length);
    const part = value.toLowerCase();
    let word = 0;
    for (let at = together.indexOf(part); at >= 0; at = together.indexOf(part, ends[word])) {
      while (ends[word] <= at) word++;
      mask[word] = 1;
    }
    return mask;
  };
  const wordsIn = (mask) => (number) => (number < 0 ? 0 : mask[number]);

  /* Which rows of a table have such a word in any of these columns, or a set with one. */
  const having = (table, columns, words) => columns.map((name) => {
    const column = table[name];
    return maskOf(column.length, (at) => words(column[at]));
  }).reduce(addTo);
  const setsWith = (column, words) => spreadTo(maskOf(fleet.sets.length, (at) => fleet.sets[at].some(words)), column);
  const ownersWith = (words) => having(fleet.owners, ["comm", "exe", "unit", "container"], words);
  const heldBy = (owners, mask = new Uint8Array(listeners.count)) => {
    for (const [at, own] of listeners.owners) if (own.some((owner) => owners[owner])) mask[at] = 1;
    return mask;
  };

  const onHosts = (field, value) => {
    if (field === "status") return spreadTo(fleet.statuses.map(globToTest(value)), hosts.status);
    const words = wordsLike(value);
    const sets = { group: hosts.groups, policy: hosts.policies, label: hosts.labels }[field];
    return sets ? setsWith(sets, words) : having(hosts, { reader: ["reader_netns"], host: ["name", "address"] }[field] ?? [field], words);
  };

  const kindsWith = (field, value) => {
    if (field === "port") {
      const inRange = rangesToTest(value);
      return maskOf(kinds.port.length, (at) => inRange(kinds.port[at]));
    }
    const test = globToTest(value);
    const found = having(kinds, [field], wordsThat(test));
    return field === "user" ? addTo(found, maskOf(found.length, (at) => kinds.uid[at] >= 0 && test(String(kinds.uid[at])))) : found;
  };
  const onListeners = (field, value) => {
    if (field === "process") return heldBy(ownersWith(wordsLike(value)));
    if (field === "address") return having(listeners, ["address"], wordsLike(value));
    return spreadTo(kindsWith(field, value), listeners.kind);
  };

  const mattersWith = (field, value) => {
    if (field === "severity") return spreadTo(fleet.levels.map(globToTest(value)), findings.level);
    return field === "control" ? setsWith(of.controls, wordsLike(value)) : having(of, [field], wordsLike(value));
  };
  const onFindings = (field, value) => {
    const test = globToTest(value);
    const words = wordsThat(test);
    if (field === "change") return maskOf(findings.count, (at) => words(findings.change[at] ?? -1));
    if (field === "id") return maskOf(findings.count, (at) => test(fleet.idOf(at)) || value.startsWith(fleet.idOf(at)));
    return spreadTo(mattersWith(field, value), findings.matter);
  };

  const onUnix = (field, value) => spreadTo(having(unix, [field], wordsLike(value)), unix.row);

  const onExposures = (field, value) => {
    const { port, last_port: last, row } = exposures;
    const test = rangesToTest(value);
    const spans = () => maskOf(port.length, (at) => port[at] < 0 || test(port[at], Math.max(port[at], last[at])));
    return spreadTo(field === "port" ? spans() : having(exposures, [field === "via" ? "source" : field], wordsLike(value)), row);
  };

  /* The listeners of some findings, and the findings about some listeners. One about a listener that is missing has a
     port and a protocol too, and no listener to ask: it fits when terms about these are all there is. */
  const listenersOf = (mask) => anyOf(spreadTo(mask, pairs.finding), pairs.listener, listeners.count);
  const findingsOf = (mask, terms) => {
    const found = anyOf(spreadTo(mask, pairs.listener), pairs.finding, findings.count);
    if (terms.some(({ field }) => !["port", "proto"].includes(field))) return found;
    const tests = terms.map(({ field, value }) => (field === "port" ? rangesToTest(value) : wordsLike(value)));
    const fits = (at) => terms.every(({ field }, one) => tests[one](findings[field][at]));
    for (let at = 0; at < findings.count; at++) if (findings.shownBy[at] < 0) found[at] = fits(at) ? 1 : 0;
    return found;
  };

  const hostsNamed = (words) => {
    const named = having(hosts, ["name", "address", "hostname", "code", "os", "kernel"], words);
    return addTo(addTo(named, setsWith(hosts.groups, words)), setsWith(hosts.labels, words));
  };

  const findingsSaying = (words, value) => {
    const matters = addTo(having(of, ["rule", "message", "waiver", "owner", "reason"], words), setsWith(of.controls, words));
    const part = value.toLowerCase();
    const id = /^[0-9a-f]{6,}$/.test(part) ? (at) => fleet.idOf(at).startsWith(part) || part.startsWith(fleet.idOf(at)) : () => false;
    return maskOf(findings.count, (at) => matters[findings.matter[at]] || words(findings.subject[at]) || id(at));
  };

  const freely = (value, target) => {
    const marked = findText(value);
    const words = wordsIn(marked);
    const port = numberIn(value);
    const inHost = hostsNamed(words);
    const inKind = addTo(having(kinds, ["service", "proto", "user"], words), maskOf(kinds.port.length, (at) => kinds.port[at] === port));
    const inListener = heldBy(ownersWith(words), addTo(spreadTo(inKind, listeners.kind), spreadTo(marked, listeners.address)));
    if (target === "listener") return addTo(inListener, spreadTo(inHost, listeners.host));
    const inFinding = findingsSaying(words, value);
    if (target === "finding") return addTo(addTo(inFinding, findingsOf(inListener, [{}])), spreadTo(inHost, findings.host));
    return addTo(addTo(inHost, anyOf(inListener, listeners.host, every)), anyOf(inFinding, findings.host, every));
  };

  // Sockets without a port and ports without a socket belong to a host and to no listener or finding: the host leads.
  const freelyBeside = (value, rows, columns) => {
    const words = wordsIn(findText(value));
    const port = numberIn(value);
    const named = having(rows, columns, words);
    if (rows.port) addTo(named, maskOf(named.length, (at) => rows.port[at] === port));
    return addTo(spreadTo(named, rows.row), spreadTo(hostsNamed(words), rows.host));
  };

  const LEVELS = {
    host: { on: onHosts, freely },
    listener: { on: onListeners, freely, host: listeners.host },
    finding: { on: onFindings, freely, host: findings.host },
    unix: { on: onUnix, freely: (value) => freelyBeside(value, unix, ["path"]), host: unix.host },
    exposure: { on: onExposures, freely: (value) => freelyBeside(value, exposures, EXPOSURE_TEXTS), host: exposures.host },
  };
  const levelOf = ({ field }, target) => (!field || (target === "exposure" && OF_EXPOSURES.includes(field)) ? target : LEVEL_OF.get(field));

  /* Masks by what they answer: typing asks the same ones again and again. */
  const known = new Map();
  const remember = (target, level, terms, work) => {
    const key = [target, level, ...terms.map(({ field, value }) => `${field ?? ""}:${value}`)].join(" ");
    if (!known.has(key)) {
      if (known.size > 60) known.clear();
      known.set(key, work());
    }
    return known.get(key);
  };
  const ownMask = ({ field, value }, level) => (field ? LEVELS[level].on(field, value) : LEVELS[level].freely(value, level));
  const allOf = (terms, level) => terms.map((term) => remember(level, level, [term], () => ownMask(term, level))).reduce(bothOf);

  /* The hosts that have one listener that fits all terms about listeners, and one finding, about it, all about findings. */
  const hostsWith = (terms) => {
    const about = (level) => terms.filter((term) => levelOf(term) === level);
    const hostsOf = (mask, level) => anyOf(mask, LEVELS[level].host, every);
    const [aboutListeners, aboutFindings] = [about("listener"), about("finding")];
    const masks = ["unix", "exposure"].filter((level) => about(level).length).map((level) => hostsOf(allOf(about(level), level), level));
    if (about("host").length) masks.push(allOf(about("host"), "host"));
    const heard = aboutListeners.length > 0 && allOf(aboutListeners, "listener");
    if (aboutFindings.length) {
      const own = allOf(aboutFindings, "finding");
      masks.push(hostsOf(heard ? bothOf(own, findingsOf(heard, aboutListeners)) : own, "finding"));
    } else if (heard) masks.push(hostsOf(heard, "listener"));
    return masks.reduce(bothOf);
  };

  /* The rows that fit these terms. Those of one level mean one and the same: `port:23 scope:wildcard` one listener. */
  const maskFor = (terms, target) => {
    const masks = [];
    const at = (level) => terms.filter((term) => level && levelOf(term, target) === level);
    const other = { listener: "finding", finding: "listener" }[target];
    const [own, beyond] = [at(target), at(other)];
    if (own.length) masks.push(allOf(own, target));
    if (beyond.length) masks.push(target === "finding" ? findingsOf(allOf(beyond, other), beyond) : listenersOf(allOf(beyond, other)));
    const rest = terms.filter((term) => !own.includes(term) && !beyond.includes(term));
    if (rest.length) masks.push(target === "host" ? hostsWith(rest) : spreadTo(hostsWith(rest), LEVELS[target].host));
    return masks.reduce(bothOf);
  };

  /** Return a mask over all rows of a kind, or null where the query keeps every one. What a `-` is before must fit none. */
  return (query, target) => {
    const terms = splitQuery(query);
    if (!terms.length) return null;
    const wanted = terms.filter((term) => !term.not);
    const masks = [...(wanted.length ? [wanted] : []), ...terms.filter((term) => term.not).map((term) => [term])];
    const answers = masks.map((some) => [remember(target, "all", some, () => maskFor(some, target)), some[0].not ? 1 : 0]);
    const kept = new Uint8Array(answers[0][0].length).fill(1);
    for (const [mask, not] of answers) for (let at = 0; at < kept.length; at++) kept[at] &= mask[at] ^ not;
    return kept;
  };
};
