import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { HeatRow, Listing, PortRow, RateRow } from "../api/types";
import { Heat, heatFrame, type HeatRowProps } from "../charts/heat";
import { heatPicture } from "../charts/png";
import { Charted } from "../parts/charted";
import { Controls, Pager } from "../parts/controls";
import {
	barColumn,
	changeColumn,
	comparedUnit,
	portColumn,
	PortLink,
	portMark,
	rankColumn,
	rateColumn,
	serviceColumn,
	shareColumn,
	sourcesColumn,
} from "../parts/ranks";
import { Listed } from "../parts/listed";
import { momentColumn, numberColumn, rateUrl } from "../parts/steps";
import type { Column } from "../parts/table";
import { usePlace } from "../router";
import { asked, type Span, STEP, type Stored, useSpan, viewSpan } from "../span";
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

// The columns of a heat map as a table.
export const heatColumns = <Row extends { moment: string; protocol: string; port: number | null }>(
	value: (r: Row) => number,
	head: string,
): Column<Row>[] => [
	momentColumn<Row>(),
	{
		key: "port",
		head: t("port"),
		class: "what",
		cell: r => <PortLink {...r} />,
		text: r => portKey(r.protocol, r.port),
		sort: r => portKey(r.protocol, r.port),
	},
	numberColumn<Row>("value", head, value),
];

function urls(query: URLSearchParams, span: Span): { ports: string; heat: string; rates: string } {
	const params = asked(span, query),
		stepped = { step: span.step === "day" ? "day" : "hour", ...params };
	return {
		ports: urlOf("/v1/ports", { ...params, limit: PAGE, cursor: query.get("cursor") }),
		heat: urlOf("/v1/heat", stepped),
		rates: rateUrl(stepped),
	};
}

export const portsAsks = (_: string[], query: URLSearchParams, stored: Stored | undefined): string[] =>
	Object.values(urls(query, viewSpan(query, stored)));

function HeatSection({ url, ratesUrl, step }: { url: string; ratesUrl: string; step: number }): JSX.Element {
	const of = useApi<Listing<HeatRow>>(url),
		rates = useApi<Listing<RateRow>>(ratesUrl).data?.rows;
	const dark = new Set((rates ?? []).filter(r => r.observed === 0).map(r => Date.parse(r.moment)));
	const rows = heatRows(of.data?.rows ?? [], r => r),
		unit = list(t("accessesCount"), t("top20"));
	const frame =
		of.data &&
		heatFrame(
			rows,
			Date.parse(of.data.from),
			Date.parse(of.data.to),
			step,
			t("accessesPerStep"),
			rates && (at => !dark.has(at)),
		);
	return (
		<Charted
			id="heat"
			label={t("heat")}
			unit={unit}
			of={of}
			url={url}
			columns={heatColumns<HeatRow>(r => r.accesses, t("accesses"))}
			rowId={r => `${r.moment} ${r.protocol} ${r.port}`}
			{...(frame && rows.length ? { picture: () => heatPicture(frame, t("heat")) } : {})}
		>
			{of.data && rows.length === 0 && <p class="note">{t("nonePorts")}</p>}
			<div data-waits={of.data || of.failure ? undefined : ""}>
				{frame && rows.length > 0 && <Heat label={t("heat")} of={frame} />}
			</div>
		</Charted>
	);
}

export function Ports({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		u = urls(query, span);
	const of = useApi<Listing<PortRow>>(u.ports),
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
				<Listed
					id="ranking"
					label={t("destinationPorts")}
					unit={comparedUnit(rows)}
					of={of}
					url={u.ports}
					answer={newPorts(rows ?? []) || undefined}
					columns={columns}
					rowId={r => `${r.protocol}/${r.port}`}
					empty={t("nonePorts")}
					hint={20}
					mark={portMark}
					sorts="sort"
				>
					<Pager of={of} />
				</Listed>
			</div>
			<div class="row">
				<HeatSection url={u.heat} ratesUrl={u.rates} step={STEP[span.step === "day" ? "day" : "hour"]} />
			</div>
		</>
	);
}
