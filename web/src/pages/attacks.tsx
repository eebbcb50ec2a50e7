import type { ComponentChildren, JSX } from "preact";
import { type Loaded, urlOf, useApi } from "../api/client";
import type {
	AttackCountRow,
	AttackRankRow,
	AttackRow,
	AttackStepRow,
	CorsaroRow,
	Definition,
	Listing,
	OnsetRow,
	RateRow,
	SensitivityRow,
	Verdict,
} from "../api/types";
import { Bar } from "../charts/bars";
import { Legend, type PlotProps, TimePlot } from "../charts/plot";
import { plotPicture } from "../charts/png";
import { asOfOf, attackColumns, corsaroColumns, GOING_URL, goingColumns, goingOf, goingRows, stepLine, underWay, WATCHED_URL } from "../parts/attacks";
import { Charted } from "../parts/charted";
import { Controls, Narrowed, Pager } from "../parts/controls";
import { Listed } from "../parts/listed";
import { countryColumn, networkColumn } from "../parts/ranks";
import { darkSteps, Replies } from "../parts/replies";
import { framed, momentColumn, numberColumn, rateUrl, STEP_WORD } from "../parts/steps";
import type { Column } from "../parts/table";
import { here, usePlace } from "../router";
import { asked, type Span, STEP, type Stored, useSpan, viewSpan } from "../span";
import { attacksAnswer, goingAnswer, isOn, listAnswer, sensitivityAnswer, sensitivityNote, verdictName } from "../text/attacks";
import { count, share } from "../text/format";
import { countryName } from "../text/places";
import { portKey, serviceName } from "../text/services";
import { t } from "../text/strings";
import type { ViewProps } from "./index";

const PAGE = 25,
	RANKS = 8,
	FILE = 1000; // rows of a file, the most that one answer has
const DEFINITIONS: readonly Definition[] = ["monomi", "corsaro2", "corsaro3"];
const VERDICTS: readonly Verdict[] = ["attack", "undecided", "scan", "reflection"];
const BY = ["country", "network", "port"] as const;
type By = (typeof BY)[number];

// ---- What the URL asks for ----
const FILTERS = ["country", "as", "protocol", "port"] as const;

interface Wanted {
	definition: Definition;
	verdict: Verdict;
	filter: Partial<Record<(typeof FILTERS)[number], string>>;
}

const oneOf = <T extends string>(of: readonly T[], text: string | null): T => of.find(x => x === text) ?? of[0]!;

function wantedBy(query: URLSearchParams): Wanted {
	const filter: Wanted["filter"] = {};
	for (const name of FILTERS) {
		const v = query.get(name);
		if (v) filter[name] = v;
	}
	return { definition: oneOf(DEFINITIONS, query.get("definition")), verdict: oneOf(VERDICTS, query.get("verdict")), filter };
}

function urls(query: URLSearchParams, span: Span): Record<"seen" | "counts" | "list" | "file" | "steps" | "replies" | "rates", string> & Record<By, string> {
	const { definition, verdict, filter } = wantedBy(query),
		{ from, to } = asked(span, query),
		params = { from, to, verdict, ...filter };
	const ranks = (by: By): string => urlOf("/v1/attack-ranks", { by, ...params, limit: RANKS }),
		corsaro = definition === "monomi" ? null : urlOf(`/v1/attacks/${definition}`, { from, to });
	return {
		seen: urlOf("/v1/sensitivity", { from, to }),
		counts: urlOf("/v1/attack-counts", { from, to }),
		list: corsaro ?? urlOf("/v1/attacks", { ...params, limit: PAGE, cursor: query.get("cursor") }),
		file: corsaro ?? urlOf("/v1/attacks", { ...params, limit: FILE }),
		steps: corsaro ?? urlOf("/v1/attack-steps", { step: span.step, ...params }),
		country: corsaro ?? ranks("country"),
		network: corsaro ?? ranks("network"),
		port: corsaro ?? ranks("port"),
		replies: urlOf("/v1/replies", { step: span.step, from, to }),
		rates: rateUrl({ step: span.step, from, to }),
	};
}

const isNow = (span: Span): boolean => span.to === null;

export function attacksAsks(_: string[], query: URLSearchParams, stored: Stored | undefined): string[] {
	const span = viewSpan(query, stored),
		{ file, ...shown } = urls(query, span);
	return [...new Set(Object.values(shown)), ...(isNow(span) ? [GOING_URL, WATCHED_URL] : [])];
}

// ---- The head: which definition, which verdict, what it is narrowed to ----
function Choice({ label, of }: { label: string; of: { name: string; href: string; n: number | undefined; on: boolean }[] }): JSX.Element {
	return (
		<span class="ranges choices" role="group" aria-label={label}>
			<span class="soft">{label}</span>
			{of.map(x => (
				<a key={x.name} href={x.href} aria-current={x.on ? "true" : undefined}>
					{x.name} {x.n !== undefined && <span class="number">{count(x.n)}</span>}
				</a>
			))}
		</span>
	);
}

const DEFINITION_NAMES: Record<Definition, string> = { monomi: "monomi", corsaro2: "corsaro 2", corsaro3: "corsaro 3" };

function Definitions({ counts, wanted }: { counts: AttackCountRow[] | undefined; wanted: Wanted }): JSX.Element {
	const told = (definition: Definition, verdict: Verdict | null): number | undefined =>
		counts && (counts.find(r => r.definition === definition && r.verdict === verdict)?.attacks ?? 0);
	return (
		<Choice
			label={t("definition")}
			of={DEFINITIONS.map(d => ({
				name: DEFINITION_NAMES[d],
				href: here({ definition: d === "monomi" ? null : d, verdict: null, port: null, sort: null }),
				n: told(d, d === "monomi" ? "attack" : null),
				on: d === wanted.definition,
			}))}
		/>
	);
}

function Verdicts({ counts, wanted }: { counts: AttackCountRow[] | undefined; wanted: Wanted }): JSX.Element {
	return (
		<div class="controls">
			<Choice
				label={t("verdict")}
				of={VERDICTS.map(v => ({
					name: verdictName(v),
					href: here({ verdict: v === "attack" ? null : v }),
					n: counts && (counts.find(r => r.definition === "monomi" && r.verdict === v)?.attacks ?? 0),
					on: v === wanted.verdict,
				}))}
			/>
		</div>
	);
}

function narrowings({ country, as, protocol, port }: Wanted["filter"]): { text: string; away: Record<string, null> }[] {
	const out: { text: string; away: Record<string, null> }[] = [];
	if (country) out.push({ text: countryName(country), away: { country: null } });
	if (as) out.push({ text: `AS${as}`, away: { as: null } });
	if (port || protocol)
		out.push({ text: portKey(protocol ?? t("port"), port ? Number(port) : null), away: { port: null, protocol: null } });
	return out;
}

// ---- Evidence ----
function Going({ above }: { above: number | null }): JSX.Element {
	const of = useApi<Listing<AttackRow>>(GOING_URL),
		onsets = useApi<Listing<OnsetRow>>(WATCHED_URL);
	const rows = goingRows(of.data?.rows ?? [], onsets.data?.rows ?? [], asOfOf(of.data));
	return (
		<Listed
			id="going"
			class="windowed brief"
			label={t("underWay")}
			unit={t("goingUnit")}
			of={{ ...of, data: of.data && { ...of.data, rows } }}
			url={GOING_URL}
			answer={of.data ? goingAnswer(goingOf(rows), above) : ""}
			columns={goingColumns()}
			rows={rows}
			rowId={r => r.href + r.since}
			empty={t("noneGoing")}
			hint={2}
		/>
	);
}

// Rows of one of corsaro's definitions, narrowed as the URL says: all of a span come at once.
function narrowed(of: Loaded<Listing<CorsaroRow>>, { country, as, protocol }: Wanted["filter"]): CorsaroRow[] {
	const rows = (of.data?.rows ?? []).filter(
		r => (!country || r.country === country) && (!as || r.as_number === Number(as)) && (!protocol || r.protocol === protocol),
	);
	return rows.sort((a, b) => b.last - a.last || b.packets - a.packets);
}

const stepColumns = (): Column<{ moment: string; attacks: number }>[] => [momentColumn(), numberColumn("attacks", t("cases"), r => r.attacks)];

function Timeline({ of, url, rows, rates, span, name }: {
	of: Loaded<Listing<unknown>>;
	url: string;
	rows: { moment: string; attacks: number }[];
	rates: string;
	span: Span;
	name: string;
}): JSX.Element {
	const dark = darkSteps(useApi<Listing<RateRow>>(rates).data?.rows),
		frame = framed(of, span.step, true),
		unit = t("underWayPer", t(STEP_WORD[span.step])),
		lines = of.data ? [stepLine(name, "now", rows, r => r.attacks, { ...frame, step: STEP[span.step] }, dark)] : [];
	const plot: PlotProps = { label: `${name}: ${unit}`, lines, ...frame };
	return (
		<Charted
			id="timeline"
			label={t("timeline")}
			unit={unit}
			of={{ ...of, data: of.data && { ...of.data, rows } }}
			url={url}
			columns={stepColumns()}
			rows={[...rows].sort((a, b) => (a.moment < b.moment ? 1 : -1))}
			rowId={r => r.moment}
			picture={() => plotPicture(plot, name, unit)}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} />
		</Charted>
	);
}

function whoColumn(by: By): Column<AttackRankRow> {
	if (by === "port")
		return {
			key: "port",
			head: t("attacked"),
			class: "fill what",
			cell: r => (
				<>
					<a href={here({ protocol: r.protocol, port: r.port === null ? null : String(r.port) })}>{portKey(r.protocol ?? "", r.port)}</a>{" "}
					<span class="soft">{serviceName(portKey(r.protocol ?? "", r.port))}</span>
				</>
			),
			text: r => portKey(r.protocol ?? "", r.port),
		};
	return by === "network" ? networkColumn(as => here({ as: String(as) })) : countryColumn(country => here({ country }));
}

// The same ranks of corsaro's attacks; they know no port, but a protocol.
export function ranksOf(rows: CorsaroRow[], by: By): AttackRankRow[] {
	const groups = new Map<string, { row: AttackRankRow; victims: Set<string> }>();
	for (const r of rows) {
		const country = by === "country" ? r.country : null,
			as_number = by === "network" ? r.as_number : null,
			protocol = by === "port" ? r.protocol : null;
		const key = `${country} ${as_number} ${protocol}`,
			none = { country, as_number, as_name: null, protocol, port: null, attacks: 0, victims: 0, packets: 0, share: 0 },
			group = groups.get(key) ?? { row: none, victims: new Set<string>() };
		group.row.attacks++;
		group.row.packets += r.packets;
		group.victims.add(r.victim);
		groups.set(key, group);
	}
	const out = [...groups.values()].map(g => ({ ...g.row, victims: g.victims.size, share: g.row.attacks / rows.length }));
	return out.sort((a, b) => b.attacks - a.attacks || b.packets - a.packets).slice(0, RANKS);
}

function Ranks({ by, of, url, ports = true }: { by: By; of: Loaded<Listing<AttackRankRow>>; url: string; ports?: boolean }): JSX.Element {
	const named = by === "country" ? "victimCountries" : by === "network" ? "victimNetworks" : ports ? "attackedPorts" : "attackedProtocols";
	const most = Math.max(0, ...(of.data?.rows ?? []).map(r => r.attacks));
	return (
		<Listed
			id={`by-${by}`}
			label={t(named)}
			unit={t("attacksShare")}
			of={of}
			url={url}
			columns={[
				whoColumn(by),
				{ key: "bar", head: "", class: "bars slim", cell: r => <Bar now={r.attacks} most={most} /> },
				numberColumn<AttackRankRow>("attacks", t("cases"), r => r.attacks),
				numberColumn<AttackRankRow>("share", t("share"), r => r.share, share, "soft"),
				numberColumn<AttackRankRow>("victims", t("victims"), r => r.victims, count, "soft"),
			]}
			rowId={r => `${r.country} ${r.as_number} ${r.protocol} ${r.port}`}
			empty={t("noneAttacks")}
			hint={RANKS}
		/>
	);
}

interface BodyProps {
	u: ReturnType<typeof urls>;
	span: Span;
	wanted: Wanted;
	counts: AttackCountRow[] | undefined;
	addresses: number | null | undefined;
}

function Evidence({ list, timeline, ranks }: { list: ComponentChildren; timeline: ComponentChildren; ranks: JSX.Element[] }): JSX.Element {
	return (
		<>
			<div class="row">{timeline}</div>
			<div class="row">{list}</div>
			<div class="row three">{ranks}</div>
		</>
	);
}

function Ours({ u, span, wanted: { verdict, filter }, counts }: BodyProps): JSX.Element {
	const list = useApi<Listing<AttackRow>>(u.list),
		steps = useApi<Listing<AttackStepRow>>(u.steps),
		ranks = { country: useApi<Listing<AttackRankRow>>(u.country), network: useApi<Listing<AttackRankRow>>(u.network), port: useApi<Listing<AttackRankRow>>(u.port) };
	const whole = counts && (counts.find(r => r.definition === "monomi" && r.verdict === verdict) ?? { attacks: 0, victims: 0 }),
		narrow = Object.keys(filter).length > 0;
	return (
		<Evidence
			timeline={<Timeline of={steps} url={u.steps} rows={steps.data?.rows ?? []} rates={u.rates} span={span} name={verdictName(verdict)} />}
			list={
				<Listed
					id="attacks"
					label={verdictName(verdict)}
					unit={t(verdict === "attack" ? "byMonomi" : "neverAlert")}
					of={list}
					url={u.list}
					file={u.file}
					answer={whole && !narrow ? listAnswer(verdict, whole) : undefined}
					columns={attackColumns(asOfOf(list.data), false)}
					rowId={r => r.victim + r.first}
					empty={t("noneAttacks")}
					hint={6}
					sorts="sort"
				>
					<Pager of={list} />
				</Listed>
			}
			ranks={BY.map(by => (
				<Ranks key={by} by={by} of={ranks[by]} url={u[by]} />
			))}
		/>
	);
}

function Corsaro({ u, span, wanted: { definition, filter }, addresses }: BodyProps): JSX.Element {
	const of = useApi<Listing<CorsaroRow>>(u.list),
		rows = narrowed(of, filter),
		frame = framed(of, span.step, true),
		on = rows.filter(r => isOn(r.last * 1000, asOfOf(of.data), definition)).length;
	return (
		<Evidence
			timeline={
				<Timeline
					of={of}
					url={u.steps}
					rows={underWay(rows, { ...frame, step: STEP[span.step] })}
					rates={u.rates}
					span={span}
					name={DEFINITION_NAMES[definition]}
				/>
			}
			list={
				<Listed
					id="attacks"
					class="windowed"
					label={verdictName("attack")}
					unit={t(definition === "corsaro2" ? "byCorsaro2" : "byCorsaro3")}
					of={of}
					url={u.list}
					file={u.file}
					answer={of.data ? attacksAnswer(rows.length, isNow(span) ? { confirmed: on, watched: 0 } : null, null, span.name) : ""}
					columns={corsaroColumns(asOfOf(of.data), addresses, definition)}
					rows={rows}
					rowId={r => `${r.victim} ${r.protocol} ${r.first}`}
					empty={t("noneAttacks")}
					hint={6}
					sorts="sort"
				>
					<p class="note">{t("estimateNote")}</p>
				</Listed>
			}
			ranks={BY.map(by => (
				<Ranks key={by} by={by} of={{ ...of, data: of.data && { ...of.data, rows: ranksOf(rows, by) } }} url={u[by]} ports={false} />
			))}
		/>
	);
}

export function Attacks({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		wanted = wantedBy(query),
		u = urls(query, span);
	const seen = useApi<Listing<SensitivityRow>>(u.seen),
		counts = useApi<Listing<AttackCountRow>>(u.counts),
		can = seen.data?.rows[0];
	const body: BodyProps = { u, span, wanted, counts: counts.data?.rows, addresses: can?.addresses };
	return (
		<>
			<section class="head">
				<h1>{seen.data ? sensitivityAnswer(can) : t("attacks")}</h1>
				<p class="note">{sensitivityNote(can)}</p>
				<Controls span={span} sensor={false}>
					<Definitions counts={counts.data?.rows} wanted={wanted} />
				</Controls>
				{wanted.definition === "monomi" && <Verdicts counts={counts.data?.rows} wanted={wanted} />}
				<Narrowed by={narrowings(wanted.filter)} />
			</section>
			{isNow(span) && wanted.definition === "monomi" && wanted.verdict === "attack" && (
				<div class="row">
					<Going above={can?.early_hour ?? null} />
				</div>
			)}
			{wanted.definition === "monomi" ? <Ours {...body} /> : <Corsaro {...body} />}
			<div class="row">
				<Replies url={u.replies} ratesUrl={u.rates} step={span.step} name={t("backscatter")} marks={[]} />
			</div>
		</>
	);
}
