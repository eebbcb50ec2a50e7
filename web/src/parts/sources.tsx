import type { SourceRow } from "../api/types";
import { Bar } from "../charts/bars";
import { count } from "../text/format";
import { countryName } from "../text/places";
import { toolName } from "../text/services";
import { t } from "../text/strings";
import { countryHref, networkHref, sourceColumn } from "./ranks";
import type { Column } from "./table";
import { Time } from "./time";

export function sourceColumns(rows: SourceRow[] | undefined): Column<SourceRow>[] {
	const most = Math.max(0, ...(rows ?? []).map(r => r.packets));
	return [
		sourceColumn(),
		{ key: "bar", head: "", class: "bars slim", cell: r => <Bar now={r.packets} most={most} /> },
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
			class: "soft",
			cell: r => count(r.accesses),
			text: r => r.accesses,
			sort: r => r.accesses,
		},
		{ key: "ports", head: t("portsCount"), number: true, cell: r => count(r.ports), text: r => r.ports, sort: r => r.ports },
		{
			key: "tool",
			head: t("tool"),
			text: r => r.tool,
			sort: r => r.tool,
			cell: r =>
				r.tool && r.tool !== "unknown" ? (
					<a href={`/sources?tool=${encodeURIComponent(r.tool)}`}>{toolName(r.tool)}</a>
				) : (
					<span class="soft">{toolName(r.tool)}</span>
				),
		},
		{
			key: "country",
			head: t("country"),
			cell: r =>
				r.country ? (
					<a href={countryHref(r.country)}>{countryName(r.country)}</a>
				) : (
					<span class="soft">{t("unknown")}</span>
				),
			text: r => r.country,
			sort: r => countryName(r.country),
		},
		{
			key: "network",
			head: t("network"),
			class: "cut",
			cell: r =>
				r.as_number === null ? (
					""
				) : (
					<a href={networkHref(r.as_number)}>
						AS{r.as_number} <span class="soft">{r.as_name}</span>
					</a>
				),
			text: r => (r.as_number === null ? "" : `AS${r.as_number} ${r.as_name ?? ""}`),
			sort: r => r.as_number,
		},
		{
			key: "sensors",
			head: t("sensorsCount"),
			number: true,
			class: "soft",
			cell: r => count(r.sensors),
			text: r => r.sensors,
			sort: r => r.sensors,
		},
		{
			key: "last",
			head: t("last"),
			number: true,
			cell: r => <Time at={r.last} />,
			text: r => r.last,
			sort: r => Date.parse(r.last),
		},
	];
}
