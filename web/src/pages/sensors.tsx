import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { CoverageRow, Listing, SensorRow, Status } from "../api/types";
import { type Begun, Coverage, gapsOf, rangesOf } from "../charts/coverage";
import { coveragePicture } from "../charts/png";
import { Charted } from "../parts/charted";
import { Controls } from "../parts/controls";
import { Listed } from "../parts/listed";
import { numberColumn } from "../parts/steps";
import type { Column } from "../parts/table";
import { Time } from "../parts/time";
import { isUp } from "../parts/trust";
import { type Span, type Stored, useSpan, viewSpan } from "../span";
import { sensorsAnswer } from "../text/answers";
import { count, duration, loss, NONE, rate, share } from "../text/format";
import { t } from "../text/strings";
import type { ViewProps } from "./index";

const modeName = (mode: string | null): string =>
	mode === "silent"
		? t("modeSilent")
		: mode === "host-answers" || mode === "host"
			? t("modeHost")
			: mode === "syn-ack"
				? t("modeSynAck")
				: mode === "mixed"
					? t("modeMixed")
					: (mode ?? NONE);

const lossOf = (r: SensorRow): number => (r.packets + r.dropped ? r.dropped / (r.packets + r.dropped) : 0);

function columnsOf(asOf: string | null, live: boolean): Column<SensorRow>[] {
	return [
		{
			key: "sensor",
			head: t("sensor"),
			class: "what",
			text: r => r.sensor,
			sort: r => r.sensor,
			cell: r => (
				<>
					{live && !isUp(r, asOf) && <span class="bad">▲ </span>}
					<a href={`/trend?sensor=${encodeURIComponent(r.sensor)}`}>{r.sensor}</a>
				</>
			),
		},
		{
			key: "addresses",
			head: t("addresses"),
			number: true,
			cell: r => count(r.addresses),
			text: r => r.addresses,
			sort: r => r.addresses,
		},
		{ key: "mode", head: t("mode"), class: "soft", cell: r => modeName(r.mode), text: r => r.mode },
		{ key: "rate", head: t("perDayAddress"), number: true, cell: r => rate(r.rate), text: r => r.rate, sort: r => r.rate },
		{
			key: "packets",
			head: t("packets"),
			number: true,
			cell: r => count(r.packets),
			text: r => r.packets,
			sort: r => r.packets,
		},
		{
			key: "accesses",
			head: t("accesses"),
			number: true,
			cell: r => count(r.accesses),
			text: r => r.accesses,
			sort: r => r.accesses,
		},
		{
			key: "observed",
			head: t("observed"),
			number: true,
			cell: r => share(r.observed),
			text: r => r.observed,
			sort: r => r.observed,
		},
		{ key: "gaps", head: t("gaps"), number: true, cell: r => count(r.gaps), text: r => r.gaps, sort: r => r.gaps },
		{
			key: "dropped",
			head: t("loss"),
			number: true,
			cell: r => (
				<>
					{loss(lossOf(r))} <span class="soft">({count(r.dropped)})</span>
				</>
			),
			text: r => r.dropped,
			sort: r => r.dropped,
		},
		{
			key: "first",
			head: t("firstMoment"),
			number: true,
			class: "soft",
			cell: r => <Time at={r.first} />,
			text: r => r.first,
			sort: r => (r.first ? Date.parse(r.first) : null),
		},
		{
			key: "last",
			head: t("lastMoment"),
			number: true,
			cell: r => <Time at={r.last} />,
			text: r => r.last,
			sort: r => (r.last ? Date.parse(r.last) : null),
		},
	];
}

// The gaps of all sensors, longest first.
function Gaps({ of, sensors }: { of: Listing<CoverageRow>; sensors: Begun[] }): JSX.Element | null {
	const from = Date.parse(of.from),
		to = Date.parse(of.to);
	const gaps = sensors
		.flatMap(({ sensor, first }) =>
			gapsOf(rangesOf(of.rows, sensor), Math.max(from, first), to).map(([a, b]) => ({ sensor, a, b })),
		)
		.sort((x, y) => y.b - y.a - x.b + x.a)
		.slice(0, 20);
	if (!gaps.length) return null;
	const iso = (at: number): string => new Date(at).toISOString();
	return (
		<table class="gaps">
			<thead>
				<tr>
					<th scope="col">{t("gap")}</th>
					<th scope="col" class="n">
						{t("fromMoment")}
					</th>
					<th scope="col" class="n">
						{t("toMoment")}
					</th>
					<th scope="col" class="n">
						{t("length")}
					</th>
				</tr>
			</thead>
			<tbody>
				{gaps.map(g => (
					<tr key={g.sensor + g.a}>
						<td class="what">{g.sensor}</td>
						<td class="n">
							<Time at={iso(g.a)} />
						</td>
						<td class="n">{g.b === to ? t("stillOpen") : <Time at={iso(g.b)} />}</td>
						<td class="n strong">{duration((g.b - g.a) / 1000)}</td>
					</tr>
				))}
			</tbody>
		</table>
	);
}

function urls(span: Span): { sensors: string; coverage: string } {
	const params = { from: span.from, to: span.to };
	return { sensors: urlOf("/v1/sensors", params), coverage: urlOf("/v1/coverage", params) };
}

export const sensorsAsks = (_: string[], query: URLSearchParams, stored: Stored | undefined): string[] =>
	Object.values(urls(viewSpan(query, stored)));

const coverColumns = (): Column<CoverageRow>[] => [
	{ key: "sensor", head: t("sensor"), class: "what", cell: r => r.sensor, text: r => r.sensor, sort: r => r.sensor },
	{ key: "from", head: t("fromMoment"), cell: r => <Time at={r.from} />, text: r => r.from, sort: r => Date.parse(r.from) },
	{ key: "to", head: t("toMoment"), cell: r => <Time at={r.to} />, text: r => r.to, sort: r => Date.parse(r.to) },
	numberColumn("addresses", t("addresses"), r => r.addresses),
	{ key: "mode", head: t("mode"), class: "soft", cell: r => modeName(r.mode), text: r => r.mode },
	numberColumn("dropped", t("dropped"), r => r.dropped),
];

function CoverageSection({ url, begun }: { url: string; begun: Begun[] }): JSX.Element {
	const of = useApi<Listing<CoverageRow>>(url),
		rows = of.data?.rows ?? [],
		from = Date.parse(of.data?.from ?? ""),
		to = Date.parse(of.data?.to ?? "");
	return (
		<Charted
			id="coverage"
			label={t("coverage")}
			unit={t("coverageUnit")}
			of={of}
			url={url}
			columns={coverColumns()}
			rowId={r => `${r.sensor} ${r.from}`}
			picture={() => coveragePicture(rows, begun, from, to, t("coverage"), t("coverageUnit"))}
		>
			<div data-waits={of.data || of.failure ? undefined : ""}>
				{of.data && <Coverage rows={rows} sensors={begun} from={from} to={to} />}
			</div>
			{of.data && <Gaps of={of.data} sensors={begun} />}
		</Charted>
	);
}

// What is in no number, and what to do about it.
function LeftOut({ of }: { of: Status }): JSX.Element {
	return (
		<>
			{of.apart > 0 && <p class="note">{t("apart", modeName(of.mode), count(of.apart))}</p>}
			{of.refused > 0 && <p class="note bad">{t("refusedSegments", count(of.refused))}</p>}
			{of.without_rows > 0 && <p class="note">{t("withoutRows", count(of.without_rows))}</p>}
		</>
	);
}

export function Sensors({ status }: ViewProps): JSX.Element {
	const span = useSpan(status.data),
		u = urls(span);
	const of = useApi<Listing<SensorRow>>(u.sensors),
		rows = of.data?.rows ?? [];
	const begun = rows.map(r => ({ sensor: r.sensor, first: r.first ? Date.parse(r.first) : -Infinity }));
	const asOf = of.data?.as_of ?? null,
		live = status.data?.capturing === true;
	const silent = rows
		.filter(r => !isUp(r, asOf))
		.map(r => ({ sensor: r.sensor, seconds: (Date.parse(asOf ?? "") - Date.parse(r.last ?? "")) / 1000 }));
	const answer = of.data && status.data ? sensorsAnswer(rows, rows.length - silent.length, silent[0] ?? null, live) : "";
	return (
		<>
			<section class="head">
				<h1>{answer || t("sensors")}</h1>
				<Controls span={span} sensor={false} />
			</section>
			<div class="row">
				<Listed
					id="list"
					label={t("sensors")}
					of={of}
					url={u.sensors}
					columns={columnsOf(asOf, live)}
					rowId={r => r.sensor}
					empty={t("noSensor")}
					hint={5}
					sorts="sort"
				/>
				{status.data && <LeftOut of={status.data} />}
			</div>
			<div class="row">
				<CoverageSection url={u.coverage} begun={begun} />
			</div>
		</>
	);
}
