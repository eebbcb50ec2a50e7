import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { BandYearRow, Listing, Status, YearRow } from "../api/types";
import { yearsPicture } from "../charts/png";
import { axisOf } from "../charts/scale";
import { type YearBar, YearBars, type YearLook, type Years } from "../charts/years";
import { Charted } from "../parts/charted";
import { numberColumn } from "../parts/steps";
import { type Column } from "../parts/table";
import { yearsAnswer } from "../text/answers";
import { dayMonth, rate } from "../text/format";
import { t } from "../text/strings";

// The two yearly figures that the police's white paper prints: all accesses, and by band of ports.
export const FIGURES = ["2-19", "2-20"] as const;
export type FigureName = (typeof FIGURES)[number];
export const figureOf = (query: URLSearchParams): FigureName | null => FIGURES.find(f => f === query.get("figure")) ?? null;

const EAST_MOST = 14;

// Whole hours east of UTC: where the years of the reader begin. West of it, and where hours are no whole ones, UTC.
export function yearZone(now = new Date()): number {
	const hours = -now.getTimezoneOffset() / 60;
	return Number.isInteger(hours) && hours >= 0 && hours <= EAST_MOST ? hours : 0;
}

export const figureUrl = (figure: FigureName, sensor: string | null): string =>
	urlOf(figure === "2-19" ? "/v1/years" : "/v1/years/bands", { hours: yearZone() || null, sensor });

// A year that began before there were rows, or goes on: which part of it there is.
export function partOf(year: number, stored: Pick<Status, "first" | "as_of"> | undefined, hours: number): string | null {
	if (!stored?.first || !stored.as_of) return null;
	const begin = Date.UTC(year, 0, 1) - hours * 3_600_000,
		end = Date.UTC(year + 1, 0, 1) - hours * 3_600_000;
	const first = Date.parse(stored.first),
		last = Date.parse(stored.as_of);
	const from = first > begin && first < end ? dayMonth(new Date(first)) : "",
		to = last > begin && last < end ? dayMonth(new Date(last)) : "";
	return from && to && from === to ? from : from || to ? `${from}–${to}` : null;
}

interface Year {
	year: number;
	total: number | null;
	bands: { look: YearLook; v: number }[];
}

const LOOKS: { look: YearLook; of: (r: BandYearRow) => number | null }[] = [
	{ look: "low", of: r => r.ports_low },
	{ look: "high", of: r => r.ports_high },
	{ look: "without", of: r => r.without_port },
];

function totals(rows: YearRow[]): Year[] {
	return rows.map(r => ({ year: r.year, total: r.accesses, bands: r.accesses === null ? [] : [{ look: "total", v: r.accesses }] }));
}

function banded(rows: BandYearRow[]): Year[] {
	return rows.map(r => {
		const bands = LOOKS.map(({ look, of }) => ({ look, v: of(r) ?? 0 }));
		const known = r.ports_low !== null || r.ports_high !== null;
		return { year: r.year, total: known ? bands.reduce((n, b) => n + b.v, 0) : null, bands: known ? bands : [] };
	});
}

// Years that were not observed at all stand between the others, empty.
function filled(rows: Year[]): Year[] {
	const by = new Map(rows.map(r => [r.year, r])),
		years = rows.map(r => r.year);
	const out: Year[] = [];
	for (let y = Math.min(...years); y <= Math.max(...years); y++) out.push(by.get(y) ?? { year: y, total: null, bands: [] });
	return out;
}

export function yearsOf(figure: FigureName, rows: Year[], stored: Status | undefined): Years {
	const bars: YearBar[] = filled(rows).map(r => ({
		name: String(r.year),
		total: r.total,
		bands: r.bands,
		part: r.total === null ? null : partOf(r.year, stored, yearZone()),
	}));
	const keys = figure === "2-20" ? LOOKS.map(({ look }) => ({ look, name: t(`${look as "low" | "high" | "without"}Long`) })) : [];
	return { rows: bars, axis: axisOf(Math.max(0, ...rows.map(r => r.total ?? 0))), keys };
}

const yearColumn = <Row extends YearRow | BandYearRow>(): Column<Row> => ({
	key: "year",
	head: t("year"),
	cell: r => String(r.year),
	text: r => r.year,
	sort: r => r.year,
});

function Keys({ of }: { of: Years }): JSX.Element {
	return (
		<p class="key">
			{of.keys.map(k => (
				<span key={k.look}>
					<i class={`swatch ${k.look}`} />
					{k.name}
				</span>
			))}
			{of.rows.some(r => r.part) && <span>{t("yearParts")}</span>}
		</p>
	);
}

export function Figure({ figure, stored, sensor }: { figure: FigureName; stored: Status | undefined; sensor: string | null }): JSX.Element {
	const url = figureUrl(figure, sensor),
		of = useApi<Listing<YearRow & BandYearRow>>(url),
		rows = of.data?.rows ?? [];
	const years = figure === "2-19" ? totals(rows) : banded(rows),
		drawn = years.length ? yearsOf(figure, years, stored) : null;
	const name = t("figure", figure),
		zone = t("yearsOf", `UTC${yearZone() ? `+${yearZone()}` : ""}`);
	const answer = yearsAnswer(drawn?.rows ?? []);
	const columns: Column<YearRow & BandYearRow>[] =
		figure === "2-19"
			? [yearColumn(), numberColumn("accesses", t("perDayAddress"), r => r.accesses, rate)]
			: [
					yearColumn(),
					numberColumn("low", t("lowLong"), r => r.ports_low, rate),
					numberColumn("high", t("highLong"), r => r.ports_high, rate),
					numberColumn("without", t("withoutLong"), r => r.without_port, rate),
				];
	const to = Date.parse(stored?.as_of ?? "") || Date.now();
	return (
		<div class="row">
			<Charted
				id="figure"
				label={name}
				unit={`${t("perDayAddress")} · ${zone}`}
				of={of}
				url={url}
				columns={columns}
				rowId={r => String(r.year)}
				{...(drawn ? { picture: () => yearsPicture(drawn, `${name}: ${answer}`, `${t("perDayAddress")} · ${zone}`, to) } : {})}
			>
				<div data-waits={of.data || of.failure ? undefined : ""}>
					{drawn ? <YearBars label={`${name}: ${answer}`} of={drawn} /> : of.data && <p class="note">{t("noneRows")}</p>}
				</div>
				{drawn && <Keys of={drawn} />}
			</Charted>
		</div>
	);
}

// The sentence at the head of the page: the figure's answer.
export function useFigureAnswer(figure: FigureName | null, stored: Status | undefined, sensor: string | null): string {
	const rows = useApi<Listing<YearRow & BandYearRow>>(figure && figureUrl(figure, sensor)).data?.rows;
	if (!figure || !rows?.length) return "";
	return yearsAnswer(yearsOf(figure, figure === "2-19" ? totals(rows) : banded(rows), stored).rows);
}
