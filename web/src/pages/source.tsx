import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { urlOf, useApi } from "../api/client";
import type { Counted, Listing, PortOfSource, SourceDetail, SourceHistoryRow, Status } from "../api/types";
import { Bar } from "../charts/bars";
import { Heat, heatFrame } from "../charts/heat";
import { heatPicture } from "../charts/png";
import { victimHref } from "../parts/attacks";
import { Charted } from "../parts/charted";
import { PacketsLink } from "../parts/actions";
import { Controls, Crumbs, Facts } from "../parts/controls";
import { countryHref, networkHref, PortLink } from "../parts/ranks";
import { Failed, Section } from "../parts/section";
import { Time } from "../parts/time";
import { type Span, STEP, type Stored, useSpan, viewSpan } from "../span";
import { namesOf, sourceAnswer } from "../text/answers";
import { count, NONE } from "../text/format";
import { countryName } from "../text/places";
import { className, portKey, serviceName, toolName } from "../text/services";
import { t } from "../text/strings";
import type { ViewProps } from "./index";
import { heatColumns, heatRows } from "./ports";

const SHOWN = 15;
const packetsOf = (x: Counted | string): number | null => (typeof x === "string" ? null : (x.packets ?? null));

function Names({ of, name }: { of: (Counted | string)[] | null; name: (n: string) => string }): JSX.Element {
	const rows = of ?? [],
		names = namesOf(rows);
	if (!names.length) return <p class="note">{NONE}</p>;
	const counted = rows.some(r => packetsOf(r) !== null);
	return (
		<table>
			<tbody>
				{names.map((n, i) => (
					<tr key={n}>
						<td>{name(n)}</td>
						{counted && <td class="n soft">{count(packetsOf(rows[i]!))}</td>}
					</tr>
				))}
			</tbody>
		</table>
	);
}

function Asked({ rows }: { rows: PortOfSource[] }): JSX.Element {
	const most = Math.max(0, ...rows.map(r => r.packets)),
		[all, allSet] = useState(false);
	return (
		<>
			<div class="scroll" tabIndex={0} role="region" aria-label={t("asked")}>
				<table>
					<thead>
						<tr>
							<th scope="col">{t("port")}</th>
							<th scope="col">
								<span class="hidden">{t("service")}</span>
							</th>
							<th scope="col">{t("class")}</th>
							<th scope="col">
								<span class="hidden">{t("packets")}</span>
							</th>
							<th scope="col" class="n">
								{t("packets")}
							</th>
							<th scope="col" class="n">
								{t("accesses")}
							</th>
						</tr>
					</thead>
					<tbody>
						{(all ? rows : rows.slice(0, SHOWN)).map((r, i) => {
							const key = portKey(r.protocol, r.port);
							return (
								<tr key={i}>
									<td class="what">
										<PortLink {...r} />
									</td>
									<td class="soft fill">{serviceName(key)}</td>
									<td class="soft">{className(r.class)}</td>
									<td class="bars">
										<Bar now={r.packets} most={most} />
									</td>
									<td class="n">{count(r.packets)}</td>
									<td class="n">{count(r.accesses)}</td>
								</tr>
							);
						})}
					</tbody>
				</table>
			</div>
			{rows.length > SHOWN && (
				<p class="pager">
					<button type="button" onClick={() => allSet(!all)}>
						{all ? t("showLess") : t("showAll", rows.length)}
					</button>
				</p>
			)}
		</>
	);
}

const ipUrl = (address: string): string => `/v1/ip/${encodeURIComponent(address)}`;
const USUAL = "7d";
const stepOf = (span: Span): "day" | "hour" => (span.step === "day" ? "day" : "hour");
const historyUrl = (address: string, span: Span): string =>
	urlOf(ipUrl(address) + "/history", { step: stepOf(span), from: span.from, to: span.to });

export const sourceAsks = ([address = ""]: string[], query: URLSearchParams, stored: Stored | undefined): string[] => [
	ipUrl(address),
	historyUrl(address, viewSpan(query, stored, USUAL)),
];

function Timeline({ address, stored }: { address: string; stored: Status | undefined }): JSX.Element {
	const span = useSpan(stored, USUAL),
		url = historyUrl(address, span);
	const of = useApi<Listing<SourceHistoryRow>>(url);
	const rows = heatRows(
		(of.data?.rows ?? []).map(r => ({ ...r, accesses: r.packets })),
		r => r,
	).slice(0, 20);
	const frame =
		of.data && heatFrame(rows, Date.parse(of.data.from), Date.parse(of.data.to), STEP[stepOf(span)], t("packetsCount"));
	return (
		<Charted
			id="did"
			label={t("did")}
			unit={t("packetsCount")}
			of={of}
			url={url}
			columns={heatColumns<SourceHistoryRow>(r => r.packets, t("packets"))}
			rowId={r => `${r.moment} ${r.protocol} ${r.port} ${r.class}`}
			{...(frame && rows.length ? { picture: () => heatPicture(frame, `${address}: ${t("did")}`) } : {})}
			lead={<Controls span={span} sensor={false} />}
		>
			<div data-waits={of.data || of.failure ? undefined : ""}>
				{frame && (rows.length ? <Heat label={t("did")} of={frame} /> : <p class="note">{t("noneRows")}</p>)}
			</div>
		</Charted>
	);
}

function Known({ row }: { row: SourceDetail }): JSX.Element {
	return (
		<Facts
			of={[
				[t("first"), row.first ? <Time at={row.first} /> : NONE],
				[t("last"), row.last ? <Time at={row.last} /> : NONE],
				[t("days"), count(row.days)],
				[t("packets"), count(row.packets)],
				[t("accesses"), count(row.accesses)],
				[t("sensorsCount"), count(row.sensors_seen)],
				[t("country"), row.country ? <a href={countryHref(row.country)}>{countryName(row.country)}</a> : t("unknown")],
				[
					t("network"),
					row.as_number === null ? t("unknown") : <a href={networkHref(row.as_number)}>AS{row.as_number}</a>,
					row.as_name,
				],
			]}
		/>
	);
}

// A span ends before its last moment.
const minuteAfter = (at: string): string => new Date(Date.parse(at) + 60_000).toISOString().slice(0, 19) + "Z";

export function Source({ status, arguments: [address = ""] }: ViewProps): JSX.Element {
	const url = ipUrl(address),
		of = useApi<SourceDetail>(url),
		row = of.data;
	return (
		<>
			<section class="head" data-waits={of.data || of.failure ? undefined : ""}>
				<Crumbs above={[[t("sources"), "/sources"]]} here={address} />
				<div class="name">
					<h1 class="title">{row?.address ?? address}</h1>
					{namesOf(row?.classes).includes("backscatter") && (
						<a class="text" href={victimHref(address)}>
							{t("asVictim")}
						</a>
					)}
				</div>
				<p class="sentence">{sourceAnswer(row) || "\u00a0"}</p>
				<Failed of={of} url={url} />
			</section>
			{row && (
				<div class="row">
					<div>
						<Known row={row} />
					</div>
				</div>
			)}
			{row?.seen && (
				<>
					<div class="row">
						<Timeline address={address} stored={status.data} />
					</div>
					<div class="row two">
						<Section id="asked" label={t("asked")} unit={t("packetsCount")}>
							<Asked rows={row.ports ?? []} />
							{row.last && (
								<p class="note">
									<PacketsLink of={{ source: address, from: row.last.slice(0, 10), to: minuteAfter(row.last) }} />
								</p>
							)}
						</Section>
						<Section id="evidence" label={t("evidence")} unit={t("packetsCount")}>
							<Names of={row.tools} name={n => toolName(n)} />
							<h3>{t("rule")}</h3>
							<Names of={row.rules} name={n => n} />
							<h3>{t("classes")}</h3>
							<Names of={row.classes} name={n => className(n)} />
							{row.forgeable !== null && <p class="note">{row.forgeable ? t("forgeable") : t("notForgeable")}</p>}
						</Section>
					</div>
				</>
			)}
		</>
	);
}
