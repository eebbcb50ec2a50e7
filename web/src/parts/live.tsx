import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { live } from "../api/stream";
import type { Live } from "../api/types";
import { usePhone } from "../state";
import { countedSeconds } from "../charts/rows";
import { useCell } from "../store";
import { count, hourMinute, rate } from "../text/format";
import { portKey, serviceName, toolName } from "../text/services";
import { t } from "../text/strings";
import { PortLink, sourceHref } from "./ranks";

const SECONDS = 300;

// Packets of each of the last 300 seconds.
function Spark({ of }: { of: Live }): JSX.Element {
	const end = of.seconds.length ? of.seconds[of.seconds.length - 1]![0] : Math.floor(of.at / 1000);
	const most = Math.max(1, ...of.seconds.map(s => s[1]));
	const begun = SECONDS - countedSeconds(of.seconds).length;
	let path = "";
	for (const [second, packets] of of.seconds) {
		const x = Math.round((1 - (end - second + 1) / SECONDS) * 10000) / 10;
		if (x >= 0) path += `M${x} 100V${Math.round((1 - packets / most) * 980) / 10}`;
	}
	return (
		<div class="spark" aria-hidden="true">
			<svg viewBox="0 0 1000 100" preserveAspectRatio="none">
				<path class="zero" d={`M${Math.round((begun / SECONDS) * 1000)} 100H1000`} />
				<path class="ticks" d={path} />
			</svg>
			<span class="most">{count(most)}</span>
		</div>
	);
}

function Tail({ of }: { of: Live }): JSX.Element {
	return (
		<div class="tail">
			<table aria-label={t("sources")}>
				<thead>
					<tr>
						<th scope="col">{t("source")}</th>
						<th scope="col">{t("tool")}</th>
						<th scope="col" class="n">
							{t("packets")}
						</th>
					</tr>
				</thead>
				<tbody>
					{of.sources.slice(0, 10).map(s => (
						<tr key={s.address}>
							<td class="mono">
								<a href={sourceHref(s.address)}>{s.address}</a>
							</td>
							<td class="soft">{s.tool ? toolName(s.tool) : "–"}</td>
							<td class="n">{count(s.packets)}</td>
						</tr>
					))}
				</tbody>
			</table>
			<table aria-label={t("destinationPorts")}>
				<thead>
					<tr>
						<th scope="col">{t("port")}</th>
						<th scope="col">
							<span class="hidden">{t("service")}</span>
						</th>
						<th scope="col" class="n">
							{t("accesses")}
						</th>
						<th scope="col" class="n">
							{t("sources")}
						</th>
					</tr>
				</thead>
				<tbody>
					{of.ports.slice(0, 10).map(p => {
						const key = portKey(p.protocol, p.port);
						return (
							<tr key={key}>
								<td>
									<PortLink {...p} />
								</td>
								<td class="soft">{serviceName(key)}</td>
								<td class="n">{count(p.accesses)}</td>
								<td class="n">{count(p.sources)}</td>
							</tr>
						);
					})}
				</tbody>
			</table>
		</div>
	);
}

// The page's answer, and beside it what came in the last minutes: counters, no rows yet.
export function LiveRow({ lead, hurt }: { lead: string; hurt: JSX.Element | null }): JSX.Element {
	const of = useCell(live),
		[open, openSet] = useState(false),
		phone = usePhone();
	const last = of ? countedSeconds(of.seconds).slice(-60) : [],
		perSecond = last.length ? last.reduce((n, s) => n + s[1], 0) / last.length : 0;
	return (
		<>
			<div class={"row top" + (of ? "" : hurt ? " two" : " alone") + (hurt ? " hurt" : "")}>
				<section class="lead" aria-label={t("now")}>
					<h1>{lead || " "}</h1>
				</section>
				{hurt}
				{of && (
					<section id="live" aria-labelledby="live-label">
						<div class="eyebrow">
							<h2 id="live-label">{t("liveNow")}</h2>
							<span class="unit">{t("liveUnit")}</span>
							<span class="actions">
								<button type="button" aria-expanded={open} onClick={() => openSet(!open)}>
									{open ? t("liveHide") : phone || hurt ? t("liveShow") : t("liveTail")}
								</button>
							</span>
						</div>
						<div class="beat">
							<p>
								<b>{rate(perSecond)}</b> {t("perSecond")}
								<span class="soft">
									{" "}
									· {hourMinute(new Date(of.at))}:{String(new Date(of.at).getSeconds()).padStart(2, "0")}
								</span>
							</p>
							<Spark of={of} />
						</div>
					</section>
				)}
			</div>
			{of && open && (
				<div class="row">
					<Tail of={of} />
				</div>
			)}
		</>
	);
}
