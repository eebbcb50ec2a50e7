import type { Lang } from "./language";

// The words that numbers rest on, as an outsider needs them; the exact rules are in the project's definitions.
export const DEFINITIONS: Record<Lang, [string, string][]> = {
	en: [
		["Monitored address", "An address that offers no service. Everything sent to it is unsolicited."],
		[
			"Sensor",
			"Captures for a set of monitored addresses. Their number divides every rate; where it is not known, no rate is shown.",
		],
		[
			"Access",
			"A packet that asks for something: a TCP SYN, UDP that is not provably a reply, an ICMP request. Retransmissions count; replies to what others forged do not.",
		],
		[
			"Rate",
			"Accesses per monitored address and day, over the time that was really observed. Time that a sensor was down is never divided by.",
		],
		[
			"Backscatter",
			"A reply to a packet that somebody else sent with a forged source. Its sender is a victim, not an attacker.",
		],
		[
			"Tool",
			"Recognised by marks that scanners leave in packet headers, by source and day. A source without such a mark is undecided. Behaving like Mirai is no proof of an infected device.",
		],
		["Before", "The span of equal length that ends where the shown one begins."],
		[
			"Missing",
			"What was not observed is a gap, never zero. Minutes and days still being counted are dotted and end in a hollow point.",
		],
		[
			"Provisional",
			"The live counters of the last minutes. They are never stored; rows follow a minute or two later and are exact.",
		],
	],
	ja: [
		["観測対象IPアドレス", "サービスを提供していないアドレス。届くものはすべて一方的に送られたもの。"],
		["センサー", "一群の観測対象IPアドレスの通信を記録する。アドレス数はすべての件数の除数で、不明なら件数は表示しない。"],
		[
			"アクセス",
			"何かを求めるパケット。TCPのSYN、応答と証明できないUDP、ICMPの要求。再送も数え、他者の詐称に対する応答は数えない。",
		],
		[
			"件数（件/日・IPアドレス）",
			"観測対象IPアドレス1つ、1日あたりのアクセス。実際に観測できた時間で割り、センサーの停止時間は含めない。",
		],
		["跳ね返りパケット", "他者が送信元を詐称して送ったパケットへの応答。その送信元は攻撃者ではなく被害者。"],
		[
			"ツール",
			"スキャナーがヘッダーに残す特徴から、送信元と日ごとに判定する。特徴がなければ判定なし。Mirai型の挙動は、機器の感染を証明しない。",
		],
		["前の期間", "表示期間の直前の、同じ長さの期間。"],
		["欠測", "観測できなかった時間は空白で示し、ゼロとはしない。集計中の分や日は点線と白丸で示す。"],
		["暫定値", "直近数分の速報。保存はされず、1、2分後に確定した値が続く。"],
	],
};

export const METHODS: Record<Lang, string[]> = {
	en: [
		"Every packet is counted once, under one class. What was ignored, lost or could not be decoded is shown on every page.",
		"Country and network are those of the packet's day. Source addresses can be forged; a page says so where nothing proves otherwise.",
		"Monitored addresses never leave the system: no page, export or feed names one.",
		"Nothing on these pages is fetched from elsewhere, and no reader is counted.",
	],
	ja: [
		"すべてのパケットを一度だけ、一つの分類で数える。対象外・損失・解読不能は全ページに示す。",
		"国・地域とネットワークはパケットの日付のもの。送信元は詐称できるため、否定できない場合はその旨を示す。",
		"観測対象IPアドレスは外に出さない。ページにも出力にも現れない。",
		"ページは外部から何も取得せず、閲覧者を記録しない。",
	],
};
