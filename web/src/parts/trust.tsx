import type { ComponentChildren, JSX } from "preact";
import { type Loaded, urlOf, useApi } from "../api/client";
import { contact, live } from "../api/stream";
import type { Listing, RateRow, SensorRow, Status } from "../api/types";
import { useNow } from "../state";
import { useCell } from "../store";
import { count, duration, loss, moment, momentOf, NONE, rate, zoneName } from "../text/format";
import { t } from "../text/strings";

// What every number on the page rests on. It never hides; what is wrong with it is said here first.
export const SENSORS_URL = urlOf("/v1/sensors", { from: "-24h" });
export const WHOLE_URL = urlOf("/v1/rate", { step: "span", from: "-24h" });
export const useSensors = (): Loaded<Listing<SensorRow>> => useApi<Listing<SensorRow>>(SENSORS_URL);
export const useWhole = (): Loaded<Listing<RateRow>> => useApi<Listing<RateRow>>(WHOLE_URL);

const QUIET = 300_000; // a sensor that is so far behind the rest is not up

export const isUp = (s: SensorRow, asOf: string | null): boolean =>
	s.last !== null && asOf !== null && Date.parse(asOf) - Date.parse(s.last) < QUIET;

function Item({
	name,
	bad,
	href,
	class: look,
	children,
}: {
	name?: string;
	bad?: boolean;
	href?: string;
	class?: string;
	children: ComponentChildren;
}): JSX.Element {
	const body = (
		<>
			{bad && <b class="bad">▲ </b>}
			{name && <span class="name">{name} </span>}
			{children}
		</>
	);
	return <span class={`item ${look ?? ""}`}>{href ? <a href={href}>{body}</a> : body}</span>;
}

// Nothing is heard from the program: since when.
function Contact({ status }: { status: Loaded<Status> }): JSX.Element | null {
	const c = useCell(contact);
	const lost = !c.open && (status.failure !== undefined || c.at > 0);
	if (!lost || (!status.failure && Date.now() - c.at < 5000)) return null;
	const at = Math.max(c.at, status.at);
	return (
		<Item bad>
			{at ? t("lastContact", momentOf(new Date(at))) : t("unreachable")} · {t("reconnecting")}
		</Item>
	);
}

const LEAST = 60; // seconds that are no gap

// The longest that a sensor did not observe of the last 24 hours, since it began.
function gapSeconds(rows: SensorRow[], asOf: string | null): { sensor: string; seconds: number } | null {
	let worst: { sensor: string; seconds: number } | null = null;
	for (const r of rows) {
		if (r.observed === null || asOf === null || r.first === null) continue;
		const age = Math.max(0, (Date.parse(asOf) - Date.parse(r.first)) / 1000),
			seconds = Math.min(86400, age) - r.observed * 86400;
		if (seconds > (worst?.seconds ?? LEAST)) worst = { sensor: r.sensor, seconds };
	}
	return worst;
}

function Lag({ status }: { status: Loaded<Status> }): JSX.Element | null {
	const counters = useCell(live),
		now = useNow(status),
		s = status.data;
	if (!s) return null;
	if (!s.capturing) return <Item class="wide">{t("notCapturing")}</Item>;
	const last = counters ? counters.at : s.as_of ? Date.parse(s.as_of) : NaN;
	const behind = Number.isFinite(last) ? Math.max(0, (now - last) / 1000) : NaN;
	const late = behind > 180;
	return (
		<Item class="wide" name={t("lag")} bad={late}>
			{Number.isFinite(behind) ? duration(behind) : NONE}
		</Item>
	);
}

export function TrustBar({ status }: { status: Loaded<Status> }): JSX.Element {
	const sensors = useSensors(),
		whole = useWhole(),
		counters = useCell(live);
	const rows = sensors.data?.rows ?? [],
		s = status.data,
		asOf = sensors.data?.as_of ?? null;
	const up = rows.filter(r => isUp(r, asOf)).length,
		all = rows.length;
	const dropped = rows.reduce((n, r) => n + r.dropped, 0),
		packets = rows.reduce((n, r) => n + r.packets, 0);
	const gap = gapSeconds(rows, asOf),
		row = whole.data?.rows[0];
	const ignored = s?.ignored ?? counters?.ignored ?? null,
		undecoded = s?.undecoded ?? counters?.undecoded ?? null;
	return (
		<footer class="trust" aria-label={t("trust")}>
			<Contact status={status} />
			{sensors.data === undefined ? (
				<Item href="/sensors">{sensors.failure ? t("unknown") : t("loading")}</Item>
			) : (
				<Item href="/sensors" bad={all > 0 && up < all && s?.capturing === true}>
					{(up === all || !s?.capturing) && <i class={"dot" + (all ? "" : " off")} aria-hidden="true" />}
					{all ? (
						<>
							<span class="name">{t("sensors")}</span> <b>{s?.capturing ? `${up}/${all}` : all}</b>
						</>
					) : (
						t("noSensor")
					)}
				</Item>
			)}
			<Lag status={status} />
			{sensors.data && (
				<Item name={t("gap")} href="/sensors">
					{gap ? (
						<>
							<span class="wide">{gap.sensor} </span>
							{duration(gap.seconds)}
						</>
					) : (
						t("none")
					)}
				</Item>
			)}
			{sensors.data && (
				<Item name={t("loss")}>
					{loss(packets + dropped ? dropped / (packets + dropped) : 0)}
					{dropped > 0 && <span class="wide"> ({count(dropped)})</span>}
				</Item>
			)}
			{ignored !== null && (
				<Item name={t("ignored")}>
					{count(ignored)}
					<span class="wide"> {s?.ignored === undefined || s.ignored === null ? t("inTenMinutes") : t("inDay")}</span>
				</Item>
			)}
			{undecoded !== null && undecoded > 0 && (
				<Item name={t("undecoded")} class="wide">
					{count(undecoded)}
				</Item>
			)}
			<span class="right">
				{row?.address_days ? (
					<span title={t("last24h")}>
						{t(
							"divisor",
							count(row.accesses),
							row.address_days < 10 ? rate(row.address_days) : count(Math.round(row.address_days)),
						)}
					</span>
				) : (
					s && s.addresses === null && <span>{t("noAddresses")}</span>
				)}
				<span class="zone"> · {zoneName()}</span>
				{s?.as_of && <span class="hidden">{t("asOf", moment(s.as_of))}</span>}
			</span>
		</footer>
	);
}
