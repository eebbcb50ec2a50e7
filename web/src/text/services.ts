import { lang, type Lang } from "./language";

// What a port is commonly for. A name says nothing about what was sent to it: only what scanners hope to find there.
type Both = Record<Lang, string>;
const both = (text: string): Both => ({ en: text, ja: text });

const NAMES: Record<string, Both> = {
	"21/tcp": both("FTP"),
	"22/tcp": both("SSH"),
	"23/tcp": both("Telnet"),
	"25/tcp": both("SMTP"),
	"53/tcp": both("DNS"),
	"53/udp": both("DNS"),
	"69/udp": both("TFTP"),
	"80/tcp": both("HTTP"),
	"81/tcp": { en: "HTTP (cameras)", ja: "HTTP（カメラ）" },
	"88/tcp": both("Kerberos"),
	"110/tcp": both("POP3"),
	"111/tcp": both("portmapper"),
	"111/udp": both("portmapper"),
	"123/udp": both("NTP"),
	"135/tcp": both("MS-RPC"),
	"137/udp": both("NetBIOS"),
	"139/tcp": both("NetBIOS"),
	"143/tcp": both("IMAP"),
	"161/udp": both("SNMP"),
	"389/tcp": both("LDAP"),
	"389/udp": both("CLDAP"),
	"443/tcp": both("HTTPS"),
	"443/udp": both("QUIC"),
	"445/tcp": both("SMB"),
	"465/tcp": both("SMTPS"),
	"500/udp": both("IKE"),
	"502/tcp": both("Modbus"),
	"554/tcp": both("RTSP"),
	"587/tcp": both("SMTP"),
	"623/udp": both("IPMI"),
	"636/tcp": both("LDAPS"),
	"873/tcp": both("rsync"),
	"993/tcp": both("IMAPS"),
	"995/tcp": both("POP3S"),
	"1080/tcp": both("SOCKS"),
	"1433/tcp": both("SQL Server"),
	"1434/udp": both("SQL Server"),
	"1521/tcp": both("Oracle"),
	"1723/tcp": both("PPTP"),
	"1883/tcp": both("MQTT"),
	"1900/udp": both("SSDP"),
	"2049/tcp": both("NFS"),
	"2222/tcp": { en: "SSH (alt.)", ja: "SSH（代替）" },
	"2323/tcp": { en: "Telnet (alt.)", ja: "Telnet（代替）" },
	"2375/tcp": both("Docker"),
	"2376/tcp": both("Docker TLS"),
	"3128/tcp": both("Squid"),
	"3306/tcp": both("MySQL"),
	"3389/tcp": both("RDP"),
	"3702/udp": both("WS-Discovery"),
	"4500/udp": both("IPsec NAT-T"),
	"5000/tcp": both("UPnP, Flask"),
	"5038/tcp": both("Asterisk"),
	"5060/tcp": both("SIP"),
	"5060/udp": both("SIP"),
	"5353/udp": both("mDNS"),
	"5358/tcp": { en: "Telnet-like", ja: "Telnet類似" },
	"5432/tcp": both("PostgreSQL"),
	"5500/tcp": { en: "DVR", ja: "DVR（録画機）" },
	"5555/tcp": both("ADB"),
	"5683/udp": both("CoAP"),
	"5900/tcp": both("VNC"),
	"5901/tcp": both("VNC"),
	"5985/tcp": both("WinRM"),
	"6379/tcp": both("Redis"),
	"6443/tcp": both("Kubernetes"),
	"6881/udp": both("BitTorrent DHT"),
	"7001/tcp": both("WebLogic"),
	"7547/tcp": both("TR-064"),
	"8000/tcp": { en: "HTTP (alt.)", ja: "HTTP（代替）" },
	"8080/tcp": { en: "HTTP (alt.)", ja: "HTTP（代替）" },
	"8081/tcp": { en: "HTTP (alt.)", ja: "HTTP（代替）" },
	"8088/tcp": both("Hadoop YARN"),
	"8291/tcp": both("MikroTik Winbox"),
	"8443/tcp": { en: "HTTPS (alt.)", ja: "HTTPS（代替）" },
	"8545/tcp": both("Ethereum RPC"),
	"8728/tcp": both("MikroTik API"),
	"8888/tcp": { en: "HTTP (alt.)", ja: "HTTP（代替）" },
	"9000/tcp": both("Portainer, PHP-FPM"),
	"9200/tcp": both("Elasticsearch"),
	"10250/tcp": both("kubelet"),
	"11211/tcp": both("memcached"),
	"11211/udp": both("memcached"),
	"20000/tcp": both("DNP3"),
	"27017/tcp": both("MongoDB"),
	"32/tcp": both("Mirai"),
	"3232/tcp": both("Mirai"),
	"34567/tcp": { en: "DVR", ja: "DVR（録画機）" },
	"37215/tcp": both("Huawei HG532"),
	"44818/tcp": both("EtherNet/IP"),
	"47808/udp": both("BACnet"),
	"50050/tcp": both("Cobalt Strike"),
	"52869/tcp": both("Realtek SDK"),
	"53413/udp": both("Netis"),
	"60001/tcp": { en: "DVR", ja: "DVR（録画機）" },
	"102/tcp": both("S7"),
};

const NOTES: Record<string, Both> = {
	"23/tcp": {
		en: "Remote login without encryption. The Mirai family tries default passwords here.",
		ja: "暗号化のない遠隔ログイン。Mirai系が既定のパスワードを試す。",
	},
	"2323/tcp": {
		en: "Telnet, alternative port. Used by the Mirai family since 2016.",
		ja: "Telnetの代替ポート。2016年からMirai系が利用。",
	},
	"32/tcp": { en: "Asked for by Mirai variants.", ja: "Mirai亜種による探索。" },
	"3232/tcp": { en: "Asked for by Mirai variants.", ja: "Mirai亜種による探索。" },
	"5358/tcp": { en: "A Telnet-like service of devices; not Mirai.", ja: "機器のTelnet類似サービス。Mirai系ではない。" },
	"37215/tcp": { en: "Huawei HG532 routers (CVE-2017-17215).", ja: "Huawei HG532ルーター（CVE-2017-17215）。" },
	"52869/tcp": { en: "UPnP of the Realtek SDK (CVE-2014-8361).", ja: "Realtek SDKのUPnP（CVE-2014-8361）。" },
	"7547/tcp": { en: "Remote management of customers' routers.", ja: "加入者用ルーターの遠隔管理。" },
	"53413/udp": { en: "Backdoor of Netis routers.", ja: "Netisルーターのバックドア。" },
	"5500/tcp": { en: "Video recorders.", ja: "録画機（DVR）。" },
	"60001/tcp": { en: "Video recorders.", ja: "録画機（DVR）。" },
	"34567/tcp": { en: "Video recorders.", ja: "録画機（DVR）。" },
	"5555/tcp": {
		en: "Android's debugging bridge: full control without a password where it is open.",
		ja: "Androidのデバッグ用。開いていればパスワードなしで操作できる。",
	},
	"445/tcp": { en: "Windows file sharing; worms spread here.", ja: "Windowsのファイル共有。ワームが広がる。" },
	"22/tcp": { en: "Remote login; passwords are guessed here.", ja: "遠隔ログイン。パスワードが総当たりされる。" },
	"3389/tcp": {
		en: "Windows remote desktop; passwords are guessed here.",
		ja: "Windowsのリモートデスクトップ。パスワードが総当たりされる。",
	},
	"1433/tcp": { en: "Microsoft's database server.", ja: "マイクロソフトのデータベース。" },
	"3306/tcp": { en: "MySQL and MariaDB database servers.", ja: "MySQL・MariaDBのデータベース。" },
	"6379/tcp": {
		en: "Redis; without a password, commands run on the server.",
		ja: "Redis。パスワードがなければサーバー上で命令を実行できる。",
	},
	"2375/tcp": {
		en: "Docker's API without encryption: full control where it is open.",
		ja: "暗号化のないDocker API。開いていれば完全に操作できる。",
	},
	"47808/udp": { en: "Building automation.", ja: "ビル設備の制御。" },
	"502/tcp": { en: "Industrial control.", ja: "産業用制御。" },
	"102/tcp": { en: "Industrial control (Siemens S7).", ja: "産業用制御（Siemens S7）。" },
	"500/udp": { en: "Key exchange of VPNs.", ja: "VPNの鍵交換。" },
	"123/udp": {
		en: "Time; an amplifier for floods where it answers too much.",
		ja: "時刻同期。応答しすぎる機器は攻撃の増幅に使われる。",
	},
	"53/udp": { en: "Names; open resolvers amplify floods.", ja: "名前解決。開いたリゾルバーは攻撃の増幅に使われる。" },
	"11211/udp": { en: "A cache; the strongest known amplifier for floods.", ja: "キャッシュ。攻撃の増幅率が最大級。" },
	"8291/tcp": { en: "Management of MikroTik routers.", ja: "MikroTikルーターの管理。" },
	"8728/tcp": { en: "Management of MikroTik routers by programs.", ja: "MikroTikルーターのプログラム向け管理。" },
	"5060/udp": {
		en: "Internet telephony; accounts are guessed for toll fraud.",
		ja: "IP電話。不正通話のためアカウントが総当たりされる。",
	},
	"80/tcp": { en: "Web servers and the pages of devices.", ja: "ウェブサーバーや機器の管理画面。" },
	"443/tcp": { en: "Encrypted web servers.", ja: "暗号化されたウェブサーバー。" },
	"8080/tcp": {
		en: "Web servers beside the usual port, proxies, devices.",
		ja: "代替ポートのウェブサーバー、プロキシー、機器。",
	},
};

export const serviceName = (key: string, l = lang()): string => NAMES[key]?.[l] ?? "";
export const serviceNote = (key: string, l = lang()): string => NOTES[key]?.[l] ?? "";

// Ports whose common name holds a text, as 22/tcp for "ssh".
export function servicesNamed(text: string): string[] {
	const wanted = text.toLowerCase();
	return Object.keys(NAMES).filter(key => Object.values(NAMES[key]!).some(name => name.toLowerCase().includes(wanted)));
}

// 23/tcp; protocols without ports by their name alone.
export function portKey(protocol: string, port: number | null): string {
	return port === null ? protocol : `${port}/${protocol}`;
}

const TOOLS: Record<string, Both> = {
	zmap: both("ZMap"),
	xmap: both("XMap"),
	masscan: both("masscan"),
	nmap: both("Nmap"),
	hping3: both("hping3"),
	mirai: { en: "Mirai-like", ja: "Mirai型" },
	unicornscan: both("Unicornscan"),
	hajime: both("Hajime"),
	mixed: { en: "Mixed", ja: "混在" },
	unknown: { en: "Undecided", ja: "判定なし" },
};

export const toolName = (tool: string | null | undefined, l = lang()): string =>
	(tool && TOOLS[tool]?.[l]) || tool || TOOLS.unknown![l];

const CLASSES: Record<string, Both> = {
	ignored: { en: "Ignored", ja: "対象外" },
	undecoded: { en: "Undecoded", ja: "解読不能" },
	backscatter: { en: "Backscatter", ja: "跳ね返りパケット" },
	p2p: { en: "File sharing", ja: "ファイル共有" },
	scan: { en: "Scan", ja: "探索行為" },
	payload: { en: "Payload", ja: "データ付き" },
	misconfiguration: { en: "Misconfiguration", ja: "設定誤り" },
	other: { en: "Other", ja: "その他" },
};

export const className = (name: string, l = lang()): string => CLASSES[name]?.[l] ?? name;
