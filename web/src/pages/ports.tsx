import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { HeatRow, Listing, PortRow, RateRow } from "../api/types";
import { Heat, type HeatRowProps } from "../charts/heat";
import { Controls, Pager } from "../parts/controls";
import {
	barColumn,
	changeColumn,
	CsvLink,
	portColumn,
	PortLink,
	portMark,
	rankColumn,
	rateColumn,
	serviceColumn,
	shareColumn,
	sourcesColumn,
	unitOf,
} from "../parts/ranks";
import { Section } from "../parts/section";
import { CopyRows, Table } from "../parts/table";
import { usePlace } from "../router";
import { type Span, STEP, useSpan } from "../span";
import { newPorts } from "../text/answers";
import { portKey } from "../text/services";
import { PORT_JUMP, portsAnswer } from "../text/sentences";
import { list, t } from "../text/strings";
import type { ViewProps } from "./index";

const LEAD = 10,
	PAGE = 50;

// Rows of the heat map in the order of their sums.
export function heatRows<Row extends { moment: string; accesses: number }>(
	rows: Row[],
	of: (r: Row) => { protocol: string; port: number | null },
): HeatRowProps[] {
	const by = new Map<string, HeatRowProps & { sum: number }>();
	for (const r of rows) {
		const { protocol, port } = of(r),
			key = portKey(protocol, port);
		const line = by.get(key) ?? {
			key,
			name: key,
			head: <PortLink protocol={protocol} port={port} />,
			cells: new Map<number, number>(),
			sum: 0,
		};
		const at = Date.parse(r.moment);
		line.cells.set(at, (line.cells.get(at) ?? 0) + r.accesses);
		line.sum += r.accesses;
		by.set(key, line);
	}
	return [...by.values()].sort((a, b) => b.sum - a.sum);
}

function HeatSection({ span, sensor }: { span: Span; sensor: string | null }): JSX.Element {
	const step = span.step === "day" ? "day" : "hour",
		params = { step, from: span.from, to: span.to, sensor };
	const url = urlOf("/v1/heat", params),
		of = useApi<Listing<HeatRow>>(url);
	const rates = useApi<Listing<RateRow>>(urlOf("/v1/rate", params)).data?.rows;
	const dark = new Set((rates ?? []).filter(r => r.observed === 0).map(r => Date.parse(r.moment)));
	const rows = heatRows(of.data?.rows ?? [], r => r);
	return (
		<Section
			id="heat"
			label={t("heat")}
			unit={list(t("accessesCount"), t("top20"))}
			of={of}
			url={url}
			actions={<CsvLink url={url} />}
		>
			{of.data && rows.length === 0 && <p class="note">{t("nonePorts")}</p>}
			<div data-waits={of.data || of.failure ? undefined : ""}>
				{of.data && rows.length > 0 && (
					<Heat
						label={t("heat")}
						rows={rows}
						from={Date.parse(of.data.from)}
						to={Date.parse(of.data.to)}
						step={STEP[step]}
						seen={rates && (at => !dark.has(at))}
						unit={t("accessesPerStep")}
					/>
				)}
			</div>
		</Section>
	);
}

export function Ports({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		sensor = query.get("sensor"),
		span = useSpan(status.data);
	const url = urlOf("/v1/ports", { from: span.from, to: span.to, sensor, limit: PAGE, cursor: query.get("cursor") });
	const of = useApi<Listing<PortRow>>(url),
		rows = of.data?.rows;
	const columns = [
		rankColumn<PortRow>(rows, PORT_JUMP),
		portColumn(),
		serviceColumn(),
		barColumn(rows, PORT_JUMP),
		rateColumn<PortRow>(rows),
		changeColumn<PortRow>(PORT_JUMP),
		shareColumn<PortRow>(),
		sourcesColumn<PortRow>(),
	];
	const first = query.get("cursor") === null,
		lead = (rows ?? []).slice(0, LEAD);
	return (
		<>
			<section class="head">
				<h1>{(first && portsAnswer(lead)) || t("destinationPorts")}</h1>
				<Controls span={span} />
			</section>
			<div class="row">
				<Section
					id="ranking"
					label={t("destinationPorts")}
					unit={list(unitOf(rows), t("againstSpanBefore"))}
					of={of}
					url={url}
					answer={newPorts(rows ?? []) || undefined}
					actions={
						<>
							<CopyRows columns={columns} rows={rows} />
							<CsvLink url={url} />
						</>
					}
				>
					<Table
						label={t("destinationPorts")}
						columns={columns}
						of={of}
						id={r => `${r.protocol}/${r.port}`}
						empty={t("nonePorts")}
						hint={20}
						mark={portMark}
						sorts="sort"
					/>
					<Pager of={of} />
				</Section>
			</div>
			<div class="row">
				<HeatSection span={span} sensor={sensor} />
			</div>
		</>
	);
}
