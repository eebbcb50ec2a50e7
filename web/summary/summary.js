'use strict';
/* The summary of captures as a page. Words and sentences come first and know no document (the tests read them);
 * drawing follows. Nothing is fetched, and every text goes in as a text node. Japanese sentences break only where a
 * zero-width space (\u200b) or punctuation allows it: a phrase stays whole. */

const CLASSES = ['scan', 'payload', 'p2p', 'backscatter', 'misconfiguration', 'other', 'ignored', 'undecoded'];

const WORDS = {
  en: {
    language: '日本語', title: 'Results of a capture',
    simulated: ['SIMULATED', 'These packets are made up: nobody sent them.'],
    strip: ['SAMPLE', 'Real scanners, recorded in closed networks on one machine. Not an observation.'],
    access: 'Accesses', accessUnder: 'packets that ask for something',
    packets: 'Packets', attempts: 'Attempts', sources: 'Sources', flows: 'Flow rows', bytes: 'Bytes', share: 'Share',
    klass: 'What it was', byPacket: 'packets by class', tools: 'With which tools', byTool: 'packets of sources by tool',
    protocol: 'Protocol', outermost: 'outermost IP layer', trust: 'Can it be trusted', leftOut: 'packets left out or unreadable',
    capture: 'Capture', when: 'time and form', files: 'Files', chance: 'Chance match', name: 'Class', tool: 'Tool',
    first: 'First', last: 'Last', min: 'Earliest', max: 'Latest', links: 'Link types', file: 'File', reason: 'Reason',
    size: 'Size', error: 'Error', truncated: 'Cut short', truncatedWhy: 'captured shorter than sent', fragments: 'Fragments', marks: 'Of these', ignored: 'Ignored', undecoded: 'Undecoded',
    damaged: 'Damaged', digest: 'rows', filesOf: (n) => `${n} files`,
    classes: {
      scan: ['Scan', 'probes of ports and hosts'], payload: ['Payload', 'data to a service that is not there'],
      p2p: ['File sharing', 'BitTorrent, DHT, eDonkey'], backscatter: ['Backscatter', 'replies to packets forged in our name'],
      misconfiguration: ['Misconfiguration', 'a wrong address, no intent'], other: ['Other', 'later fragments, tunnels, the rest'],
      ignored: ['Ignored', 'not sent to a monitored address'], undecoded: ['Undecoded', 'counted, but not readable'],
    },
    reasons: {
      outgoing: 'sent by this host', own: 'own management', local: 'local traffic', not_monitored: 'not to a monitored address',
      short: 'ends inside a header', malformed: 'contradicts itself', unsupported: 'link type or protocol not read',
    },
    toolNames: { unknown: 'no known tool', mixed: 'several at once', zmap: 'ZMap', xmap: 'XMap', nmap: 'Nmap', mirai: 'Mirai-like',
      unicornscan: 'Unicornscan', hajime: 'Hajime-like' },
  },
  ja: {
    language: 'English', title: 'キャプチャの解析結果',
    simulated: ['SIMULATED', '模擬データ。実際に届いたパケットではありません。'],
    strip: ['標本データ', '実在の観測ではありません。実物の探索ツールを1台の中の閉じたネットワークで動かした記録です。'],
    access: 'アクセス', accessUnder: '何かを求めるパケット（件）',
    packets: 'パケット', attempts: '試行', sources: '送信元', flows: 'フロー行', bytes: 'バイト数', share: '割合',
    klass: '何だったか', byPacket: '分類別パケット数', tools: '使われたツール', byTool: '送信元のツール別パケット数',
    protocol: 'プロトコル', outermost: '最外のIP層', trust: '信頼できるか', leftOut: '対象外・解読不能のパケット',
    capture: 'キャプチャ', when: '時刻と形式', files: 'ファイル', chance: '偶然の一致', name: '分類', tool: 'ツール',
    first: '先頭', last: '末尾', min: '最早', max: '最遅', links: 'リンク種別', file: 'ファイル', reason: '理由',
    size: '大きさ', error: 'エラー', truncated: '途中切れ', truncatedWhy: '送信より短く記録', fragments: '断片', marks: 'うち', ignored: '対象外', undecoded: '解読不能',
    damaged: '破損', digest: '行', filesOf: (n) => `${n}ファイル`,
    classes: {
      scan: ['探索行為', 'ポートや機器を探す'], payload: ['データ付き', '存在しないサービスへのデータ'],
      p2p: ['ファイル共有', 'BitTorrent、DHT、eDonkey'], backscatter: ['跳ね返り', '詐称されたパケットへの返答'],
      misconfiguration: ['誤設定', '宛先の誤り'], other: ['その他', '後続の断片、トンネルなど'],
      ignored: ['対象外', '観測対象宛てではない'], undecoded: ['解読不能', '数えたが読めない'],
    },
    reasons: {
      outgoing: '自ホストの送信', own: '自分の管理通信', local: 'ローカル通信', not_monitored: '観測対象以外宛て',
      short: 'ヘッダー途中で終わる', malformed: '内容が矛盾', unsupported: '未対応のリンク種別・プロトコル',
    },
    toolNames: { unknown: '判定なし', mixed: '複数混在', zmap: 'ZMap', xmap: 'XMap', nmap: 'Nmap', mirai: 'Mirai型',
      unicornscan: 'Unicornscan', hajime: 'Hajime型' },
  },
};

/* A random packet carries the mark of the tool by chance so often (DEFINITIONS section 2). */
const CHANCE = { mirai: '1 : 2³²', zmap: '1 : 2¹⁶', xmap: '1 : 2¹⁶', masscan: '1 : 2¹⁶', unicornscan: '1 : 2¹⁶' };

const count = (n) => Math.round(n).toLocaleString('en-US');

function percent(part, whole, lang) {
  const p = whole ? 100 * part / whole : 0;
  const text = part > 0 && p < 0.1 ? '<0.1' : p >= 9.95 || p === 0 ? p.toFixed(0) : p.toFixed(1);
  return text + (lang === 'ja' ? '%' : '\u00a0%');
}

const sum = (v) => (v && typeof v === 'object' ? Object.values(v).reduce((a, b) => a + b, 0) : v || 0);

/* Seconds between two RFC 3339 times; the nanoseconds count only below a second. */
function seconds(from, to) {
  return from && to ? (Date.parse(to.slice(0, 19) + 'Z') - Date.parse(from.slice(0, 19) + 'Z')) / 1000
    + (Number('0' + to.slice(19, -1) || 0) - Number('0' + from.slice(19, -1) || 0)) : 0;
}

function duration(s, lang) {
  const units = lang === 'ja' ? ['秒', '分', '時間', '日', '年'] : ['\u00a0s', '\u00a0min', '\u00a0h', '\u00a0days', '\u00a0years'];
  const [n, unit] = s < 120 ? [s, 0] : s < 7200 ? [s / 60, 1] : s < 172800 ? [s / 3600, 2] : s < 63072000 ? [s / 86400, 3] : [s / 31557600, 4];
  return (n > 0 && n < 1 ? '<1' : Math.round(n)) + units[unit];
}

function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let i = 0, n = bytes;
  for (; n >= 1000 && i < 4; i++) n /= 1000;
  return (i && n < 100 ? n.toFixed(1) : Math.round(n)) + '\u00a0' + units[i];
}

function leadSentence(t, lang) {
  if (!t.packets) return lang === 'ja' ? 'パケットはありません。' : 'There are no packets.';
  const p = count(t.packets), s = count(t.sources), a = count(t.accesses), took = seconds(t.min, t.max), d = duration(took, lang);
  if (lang === 'ja') return `${took ? `${d}間に\u200b` : ''}${s}の送信元から\u200b${p}パケット、\u200bうちアクセスは\u200b${a}件。`;
  const from = `${p} ${t.packets === 1 ? 'packet' : 'packets'} from ${s} ${t.sources === 1 ? 'source' : 'sources'}${took ? ` in ${d}` : ''}`;
  return `${from}; ${t.accesses ? a : 'none'} of them ${t.accesses > 1 ? 'ask' : 'asks'} for something.`;
}

function classSentence(t, lang) {
  if (!t.packets) return lang === 'ja' ? '分類するものはありません。' : 'Nothing to classify.';
  const does = lang === 'ja'
    ? { scan: '探索行為', payload: 'データ付き', p2p: 'ファイル共有', backscatter: '跳ね返り', misconfiguration: '誤設定', other: 'その他',
      ignored: '対象外', undecoded: '解読不能' }
    : { scan: 'are scans', payload: 'carry data', p2p: 'are file sharing', backscatter: 'are backscatter',
      misconfiguration: 'are mistakes', other: 'fit no class', ignored: 'are left out', undecoded: 'cannot be read' };
  const ranked = CLASSES.map((c) => [c, sum(t.classes[c])]).sort((a, b) => b[1] - a[1]);
  const told = ranked.filter(([, n], i) => i === 0 || (i === 1 && n >= 0.02 * t.packets));
  if (lang === 'ja') return told.map(([c, n]) => `${percent(n, t.packets, lang)}は\u200b${does[c]}`).join('、\u200b') + '。';
  return told.map(([c, n]) => `${percent(n, t.packets, lang)} ${does[c]}`).join('; ') + '.';
}

const toolName = (tool, lang) => WORDS[lang].toolNames[tool] || tool;

function toolSentence(t, lang) {
  const all = sum(t.tools), named = Object.entries(t.tools).filter(([k, n]) => n && k !== 'unknown' && k !== 'mixed');
  named.sort((a, b) => b[1] - a[1]);
  if (!named.length) return lang === 'ja' ? '既知のツールの特徴はありません。' : 'No source shows a known tool.';
  const told = named.slice(0, 2).map(([k, n]) => [toolName(k, lang), percent(n, all, lang)]);
  if (lang === 'ja') return told.map(([k, p]) => `${k}が${p}`).join('、\u200b') + '。';
  return told.map(([k, p], i) => (i ? `${k} ${p}` : `${k} sent ${p}`)).join(', ') + '.';
}

function protocolSentence(t, lang) {
  const parts = [['TCP', t.tcp], ['UDP', t.udp], ['ICMP', t.icmp + t.icmpv6]].sort((a, b) => b[1] - a[1]);
  if (!parts[0][1]) return lang === 'ja' ? 'TCP、UDP、ICMPはありません。' : 'Neither TCP, UDP nor ICMP.';
  const main = `${parts[0][0]} ${percent(parts[0][1], t.packets, lang)}`, six = percent(t.ipv6, t.packets, lang);
  if (lang === 'ja') return t.ipv6 ? `${main}、IPv6は${six}。` : `${main}、IPv6はなし。`;
  return t.ipv6 ? `${main}; over IPv6 ${six}.` : `${main}; no IPv6.`;
}

function trustSentence(t, damaged, lang) {
  const ignored = sum(t.classes.ignored), undecoded = sum(t.classes.undecoded);
  const parts = [];
  if (lang === 'ja') {
    if (damaged) parts.push(`${damaged}ファイルが破損`);
    if (ignored) parts.push(`${count(ignored)}パケットは対象外`);
    if (undecoded) parts.push(`${count(undecoded)}パケットは解読不能`);
    return parts.length ? parts.join('、\u200b') + '。' : 'すべて読み、すべて数えました。';
  }
  if (damaged) parts.push(`${damaged} ${damaged === 1 ? 'file is' : 'files are'} damaged`);
  if (ignored) parts.push(`${count(ignored)} left out`);
  if (undecoded) parts.push(`${count(undecoded)} unreadable`);
  const text = parts.join(', ');
  return text ? text[0].toUpperCase() + text.slice(1) + '.' : 'Everything was read and counted.';
}

function orderSentence(t, lang) {
  if (!t.packets) return lang === 'ja' ? '空です。' : 'Empty.';
  const took = seconds(t.min, t.max), d = duration(took, lang), ordered = t.first === t.min && t.last === t.max;
  if (!took) return lang === 'ja' ? '同一時刻。' : 'One instant.';
  if (lang === 'ja') return ordered ? `${d}間。` : `${d}間、時刻は順不同。`;
  return ordered ? `${d} long.` : `${d} long, out of order in time.`;
}

if (typeof module === 'object') {
  module.exports = { WORDS, CLASSES, leadSentence, classSentence, toolSentence, protocolSentence, trustSentence,
    orderSentence, percent, duration, seconds, size };
}

/* ---- Drawing ---- */

/* make('td.n', 'text', child…): an element by its tag and classes; strings become text nodes. */
function make(selector, ...children) {
  const [tag, ...classes] = selector.split('.');
  const e = document.createElement(tag);
  if (classes.length) e.className = classes.join(' ');
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

function logo() {
  const ns = 'http://www.w3.org/2000/svg', svg = document.createElementNS(ns, 'svg'), path = document.createElementNS(ns, 'path');
  svg.setAttribute('viewBox', '0 0 16 16');
  path.setAttribute('d', 'M2 2.5h12M4 2.5v4.500M12 2.5v4.500M1.500 7h13M5 7l-2 8M11 7l2 8M8 7v3');
  svg.append(path);
  return make('span.logo', svg, 'monomi');
}

function table(head, rows, kind) {
  const t = make(kind ? `table.${kind}` : 'table');
  if (head) t.append(make('tr', ...head.map(([text, css]) => make(css ? `th.${css}` : 'th', text))));
  for (const cells of rows) t.append(make('tr', ...cells));
  return t;
}

function bar(part, whole, colour) {
  const b = make('span.bar');
  b.style.width = `${whole ? 100 * part / whole : 0}%`;
  if (colour) b.style.background = colour;
  return make('td.bars', part ? b : '');
}

function section(title, unit, answer, ...body) {
  return make('section', make('div.eyebrow', make('span', title), make('span.unit', unit)), make('h2', answer), ...body);
}

const COLOUR = { scan: 'var(--blue)', backscatter: 'var(--ochre)', payload: 'var(--m4)', p2p: 'var(--m3)', misconfiguration: 'var(--m2)',
  other: 'var(--line2)', ignored: 'var(--m1)', undecoded: 'var(--accent)' };

function classSection(t, lang) {
  const w = WORDS[lang], shown = CLASSES.filter((c) => sum(t.classes[c]));
  const parts = make('div.parts', ...shown.map((c) => {
    const s = make('span');
    s.style.background = COLOUR[c];
    s.style.flex = `${sum(t.classes[c])} 0 0`;
    s.title = w.classes[c][0];
    return s;
  }));
  const rows = shown.sort((a, b) => sum(t.classes[b]) - sum(t.classes[a])).map((c) => {
    const swatch = make('span.swatch');
    swatch.style.background = COLOUR[c];
    return [make('td.name', swatch, w.classes[c][0]), make('td.more.wide', w.classes[c][1]), make('td.n', count(sum(t.classes[c]))),
      make('td.n', percent(sum(t.classes[c]), t.packets, lang))];
  });
  return section(w.klass, w.byPacket, classSentence(t, lang), parts,
    table([[w.name], ['', 'wide'], [w.packets, 'n'], [w.share, 'n']], rows));
}

function toolSection(t, lang) {
  const w = WORDS[lang], entries = Object.entries(t.tools).filter(([, n]) => n).sort((a, b) => b[1] - a[1]);
  const all = sum(t.tools), most = entries.length ? entries[0][1] : 0;
  return section(w.tools, w.byTool, toolSentence(t, lang),
    table([[w.tool], [''], [w.packets, 'n'], [w.share, 'n'], [w.chance, 'n.wide']], entries.map(([k, n]) => [
      make('td.name', toolName(k, lang)), bar(n, most), make('td.n', count(n)), make('td.n', percent(n, all, lang)),
      make('td.n.wide.more', CHANCE[k] || '–')])));
}

function accessSection(t, lang) {
  const w = WORDS[lang];
  const rows = [[w.packets, count(t.packets)], [w.attempts, count(t.attempts)], [w.sources, count(t.sources)], [w.flows, count(t.flows)]];
  return make('section', make('div.eyebrow', make('span', w.access)), make('div.big', count(t.accesses)), make('div.under', w.accessUnder),
    table(null, rows.map(([k, v]) => [make('td', k), make('td.n', v)]), 'facts'));
}

function protocolSection(t, lang) {
  const w = WORDS[lang], whole = t.packets;
  const rows = [['TCP', t.tcp], ['UDP', t.udp], ['ICMP', t.icmp], ['ICMPv6', t.icmpv6], [lang === 'ja' ? 'その他のIP' : 'other IP', t.other_ip],
    [lang === 'ja' ? 'IP以外' : 'not IP', t.non_ip]].filter(([, n]) => n);
  const flags = [['SYN', t.syn], ['SYN-ACK', t.synack], ['RST', t.rst], [w.fragments, t.fragments]].filter(([, n]) => n);
  const line = ([k, n], colour) => [make('td.name', k), bar(n, whole, colour), make('td.n', count(n)), make('td.n', percent(n, whole, lang))];
  const head = flags.length ? [[make('th', w.marks), make('th', ''), make('th', ''), make('th', '')]] : [];
  return section(w.protocol, w.outermost, protocolSentence(t, lang), table([[w.protocol], [''], [w.packets, 'n'], [w.share, 'n']],
    [...rows.map((r) => line(r)), ...head, ...flags.map((r) => line(r, 'var(--m2)'))]));
}

/* Ignored, undecoded and cut short have their fixed place: a line each, with the reasons that occurred. */
function trustSection(t, damaged, lang) {
  const w = WORDS[lang], line = (name, why, n) => [make('td.name', name), make('td.more', why), make(n ? 'td.n' : 'td.n.zero', count(n))];
  const why = (c) => Object.entries(t.classes[c] || {}).filter(([, n]) => n).map(([reason, n]) => `${w.reasons[reason] || reason} ${count(n)}`)
    .join(lang === 'ja' ? '、' : ', ');
  const rows = ['ignored', 'undecoded'].map((c) => line(w.classes[c][0], why(c), sum(t.classes[c])));
  rows.push(line(w.truncated, t.truncated ? w.truncatedWhy : '', t.truncated));
  return section(w.trust, w.leftOut, trustSentence(t, damaged, lang), table([[w.name], [w.reason], [w.packets, 'n']], rows));
}

/* The reader's own zone, to the second; the exact time in UTC on hover. */
function moment(iso) {
  if (!iso) return make('span', '–');
  const d = new Date(iso.slice(0, 19) + 'Z'), two = (n) => String(n).padStart(2, '0');
  const e = make('span', `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`);
  e.title = iso;
  return e;
}

function linkTypes(names) {
  const e = make('span', names.slice(0, 4).join(', ') || '–', names.length > 4 ? ` + ${names.length - 4}` : '');
  e.title = names.join(', ');
  return e;
}

function captureSection(t, lang) {
  const w = WORDS[lang];
  const rows = [[w.min, moment(t.min)], [w.max, moment(t.max)], [w.bytes, size(t.bytes)], [w.links, linkTypes(t.link_types || [])]];
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  return make('section', make('div.eyebrow', make('span', w.capture), make('span.unit', zone)), make('h2', orderSentence(t, lang)),
    table(null, rows.map(([k, v]) => [make('td', k), make('td.n', v)]), 'facts'));
}

function filesRow(files, lang) {
  const w = WORDS[lang], bad = files.filter((f) => f.error).length, n = files.length;
  const answer = lang === 'ja' ? `${n}ファイル、うち破損${bad}。` : `${n} ${n === 1 ? 'file' : 'files'}, ${bad || 'none'} damaged.`;
  const rows = [...files].sort((a, b) => !a.error - !b.error).map((f) => [make('td.name', f.file), make('td.n', count(f.packets)),
    make('td.n', count(f.accesses)), make('td.n', count(f.sources)), make('td.error', f.error || '')]);
  const box = make('div.scroll', table([[w.file], [w.packets, 'n'], [w.access, 'n'], [w.sources, 'n'], ['']], rows, 'files'));
  return make('div.row', section(w.files, '', answer, box));
}

function trustBar(t, files, lang) {
  const w = WORDS[lang], damaged = files.filter((f) => f.error).length;
  const item = (name, n, bad) => make('span.item', bad && n ? make('span.bad', '▲ ') : null, `${name} `, make('b', count(n)));
  return make('footer', item(w.files, files.length), item(w.damaged, damaged, true), item(w.ignored, sum(t.classes.ignored)),
    item(w.undecoded, sum(t.classes.undecoded), true), item(w.truncated, t.truncated),
    make('span.item.digest', `${w.digest} ${t.flow_digest || ''}`));
}

function draw(data, lang) {
  const w = WORDS[lang], total = data.rows[data.rows.length - 1], files = data.rows.slice(0, -1);
  const damaged = files.filter((f) => f.error).length, name = files.length === 1 ? files[0].file : '';
  const other = make('button', w.language);
  other.onclick = () => { location.hash = lang === 'ja' ? 'en' : 'ja'; };
  document.documentElement.lang = lang;
  document.title = `${name ? name.split('/').pop() + ' · ' : ''}monomi`;
  const page = [];
  if (data.sample) page.push(make('div.strip', make('b', w.strip[0]), make('span', w.strip[1])));
  if (total.simulated) page.push(make('div.strip', make('b', w.simulated[0]), make('span', w.simulated[1])));
  page.push(make('header', logo(), make('span.what', name || w.filesOf(files.length)), make('span.right', other)));
  const main = make('main', make('section.lead', make('div.eyebrow', make('span', w.title)), make('h1', leadSentence(total, lang))),
    make('div.row.three', accessSection(total, lang), classSection(total, lang), toolSection(total, lang)),
    make('div.row.even', captureSection(total, lang), protocolSection(total, lang), trustSection(total, damaged, lang)));
  if (files.length > 1 || damaged) main.append(filesRow(files, lang));
  page.push(main, trustBar(total, files, lang));
  document.body.replaceChildren(...page);
}

function start() {
  const data = JSON.parse(document.getElementById('data').textContent);
  const language = () => (['#ja', '#en'].includes(location.hash) ? location.hash.slice(1) : navigator.language.startsWith('ja') ? 'ja' : 'en');
  addEventListener('hashchange', () => draw(data, language()));
  draw(data, language());
}

if (typeof document === 'object') start();
