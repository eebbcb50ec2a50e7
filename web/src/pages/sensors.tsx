import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { CoverageRow, Listing, SensorRow } from "../api/types";
import { type Begun, Coverage, gapsOf, rangesOf } from "../charts/coverage";
import { Controls } from "../parts/controls";
import { CsvLink } from "../parts/ranks";
import { Section } from "../parts/section";
import { type Column, CopyRows, Table } from "../parts/table";
import { Time } from "../parts/time";
import { isUp } from "../parts/trust";
import { useSpan } from "../span";
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

export function Sensors({ status }: ViewProps): JSX.Element {
	const span = useSpan(status.data),
		params = { from: span.from, to: span.to };
	const url = urlOf("/v1/sensors", params),
		of = useApi<Listing<SensorRow>>(url),
		rows = of.data?.rows ?? [];
	const coverUrl = urlOf("/v1/coverage", params),
		cover = useApi<Listing<CoverageRow>>(coverUrl);
	const begun = rows.map(r => ({ sensor: r.sensor, first: r.first ? Date.parse(r.first) : -Infinity }));
	const asOf = of.data?.as_of ?? null,
		live = status.data?.capturing === true,
		columns = columnsOf(asOf, live);
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
				<Section
					id="list"
					label={t("sensors")}
					of={of}
					url={url}
					actions={
						<>
							<CopyRows columns={columns} rows={rows} />
							<CsvLink url={url} />
						</>
					}
				>
					<Table
						label={t("sensors")}
						columns={columns}
						of={of}
						id={r => r.sensor}
						empty={t("noSensor")}
						hint={5}
						sorts="sort"
					/>
				</Section>
			</div>
			<div class="row">
				<Section
					id="coverage"
					label={t("coverage")}
					unit={t("coverageUnit")}
					of={cover}
					url={coverUrl}
					actions={<CsvLink url={coverUrl} />}
				>
					<div data-waits={cover.data || cover.failure ? undefined : ""}>
						{cover.data && (
							<Coverage
								rows={cover.data.rows}
								sensors={begun}
								from={Date.parse(cover.data.from)}
								to={Date.parse(cover.data.to)}
							/>
						)}
					</div>
					{cover.data && <Gaps of={cover.data} sensors={begun} />}
				</Section>
			</div>
		</>
	);
}
