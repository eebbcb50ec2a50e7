import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { Listing, SourceRow, ToolRow } from "../api/types";
import { Controls, Pager } from "../parts/controls";
import { CsvLink, toolColumns } from "../parts/ranks";
import { sourceColumns } from "../parts/sources";
import { Section } from "../parts/section";
import { CopyRows, Table } from "../parts/table";
import { here, usePlace } from "../router";
import { useSpan } from "../span";
import { sourcesAnswer } from "../text/answers";
import { countryName } from "../text/places";
import { toolName } from "../text/services";
import { toolsAnswer } from "../text/sentences";
import { t } from "../text/strings";
import type { ViewProps } from "./index";

const PAGE = 50;

// What the URL narrows the list to; each part can be taken away.
function filters(query: URLSearchParams): { name: string; text: string }[] {
	const out: { name: string; text: string }[] = [];
	const add = (name: string, text: (v: string) => string): void => {
		const v = query.get(name);
		if (v) out.push({ name, text: text(v) });
	};
	add("country", countryName);
	add("as", v => `AS${v}`);
	add("tool", v => toolName(v));
	add("port", v => `${v}/${query.get("protocol") ?? "tcp"}`);
	return out;
}

export function Sources({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		narrowed = filters(query);
	const params = { from: span.from, to: span.to, sensor: query.get("sensor") };
	const narrow = Object.fromEntries(["country", "as", "tool", "port", "protocol"].map(n => [n, query.get(n)]));
	const url = urlOf("/v1/sources", { ...params, ...narrow, limit: PAGE, cursor: query.get("cursor") });
	const of = useApi<Listing<SourceRow>>(url),
		rows = of.data?.rows,
		columns = sourceColumns(rows);
	const toolsUrl = urlOf("/v1/tools", params),
		tools = useApi<Listing<ToolRow>>(toolsUrl);
	return (
		<>
			<section class="head">
				<h1>{(of.data && sourcesAnswer(of.data.rows, of.data.next, narrowed.length > 0)) || t("sources")}</h1>
				<Controls span={span} />
				{narrowed.length > 0 && (
					<p class="filters">
						{narrowed.map(f => (
							<a key={f.name} href={here({ [f.name]: null, ...(f.name === "port" ? { protocol: null } : {}) })}>
								{f.text}
								<span aria-hidden="true"> ×</span>
								<span class="hidden"> {t("filterAway")}</span>
							</a>
						))}
					</p>
				)}
			</section>
			<div class="row aside">
				<Section
					id="list"
					label={t("sources")}
					unit={t("packetsCount")}
					of={of}
					url={url}
					actions={
						<>
							<CopyRows columns={columns} rows={rows} />
							<CsvLink url={url} />
						</>
					}
				>
					<Table label={t("sources")} columns={columns} of={of} id={r => r.source} hint={20} sorts="sort" />
					<Pager of={of} />
				</Section>
				<Section
					id="tools"
					label={t("tools")}
					unit={t("shareOfSources")}
					of={tools}
					url={toolsUrl}
					answer={toolsAnswer(tools.data?.rows ?? [])}
				>
					<Table
						label={t("tools")}
						columns={toolColumns(tools.data?.rows)}
						of={tools}
						id={r => r.tool}
						empty={t("noneTools")}
						hint={6}
					/>
				</Section>
			</div>
		</>
	);
}
