"""Web pages of six shapes, as people save them; texts and figures are made up for the tests."""

# ruff: noqa: E501

NOTICE = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8">
<title>关于调整职工医保门诊待遇的通知_惠州市医疗保障局</title>
<meta name="SiteName" content="惠州市医疗保障局">
<meta name="ArticleTitle" content="关于调整职工医保门诊待遇的通知">
<meta name="PubDate" content="2024-12-20 09:30">
<meta name="ContentSource" content="惠州市医疗保障局">
<meta name="Url" content="http://ybj.huizhou.gov.cn/zwgk/202412/t20241220_1.html">
<style>.nav{color:red}</style><script>document.write("脚本写的字")</script>
</head><body>
<div class="header"><ul class="nav"><li><a href="/">首页</a></li><li><a href="/zwgk">政务公开</a></li>
<li><a href="/zcfg">政策法规</a></li><li><a href="/bszn">办事指南</a></li></ul></div>
<div class="position">您现在的位置：<a href="/">首页</a> &gt; <a href="/zwgk">政务公开</a> &gt; 正文</div>
<table class="index"><tbody><tr><td>索引号：</td><td>000000-2024-00035</td><td>主题分类：</td><td>社会保障</td></tr>
<tr><td>发布机构：</td><td>惠州市医疗保障局</td><td>成文日期：</td><td>2024年12月18日</td></tr>
<tr><td>发文字号：</td><td>惠医保发〔2024〕35号</td><td>发布日期：</td><td>2024-12-20</td></tr></tbody></table>
<div class="article"><h1>关于调整职工医保门诊待遇的通知</h1>
<div class="info"><span>发布时间：2024-12-20</span><span>来源：惠州市医疗保障局</span><span>浏览次数：1024</span>
<span>字体：【大 中 小】</span></div>
<div class="TRS_Editor"><p align="center">惠医保发〔2024〕35号</p>
<p>各县（区）医疗保障局，各定点医药机构：</p>
<p>　　为减轻参保人员的门诊负担，根据惠府办〔2021〕8号文件的要求，现将职工医保普通门诊的待遇调整如下。</p>
<p>　　<strong>一、待遇标准</strong></p>
<p>　　普通门诊的起付标准、支付比例和年度限额按下表执行。</p>
<table border="1"><tbody>
<tr><td>医院等级</td><td>起付标准（元）</td><td>在职支付比例</td><td>退休支付比例</td></tr>
<tr><td>一级及以下</td><td>0</td><td>75%</td><td>80%</td></tr>
<tr><td>二级</td><td>100</td><td>65%</td><td>70%</td></tr>
<tr><td>三级</td><td>200</td><td>55%</td><td>60%</td></tr>
<tr><td>年度限额</td><td colspan="3">在职3000元，退休3600元</td></tr>
</tbody></table>
<p>　　<strong>二、施行时间</strong></p>
<p>　　本通知自2025年1月1日起施行，有效期五年。</p>
<p style="text-align:right">惠州市医疗保障局</p><p style="text-align:right">2024年12月18日</p>
<p>　　（此件公开发布）</p>
</div>
<div class="share">分享到：<a href="#">微信</a><a href="#">微博</a></div>
<div class="page">上一篇：<a href="/a.html">关于医保目录的通知</a><br>下一篇：<a href="/b.html">关于集中采购的通知</a></div>
</div>
<div class="footer"><p>主办单位：惠州市医疗保障局　网站标识码：0000000001</p><p>版权所有　未经许可不得转载</p></div>
</body></html>"""

NEWS = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>惠州市异地就医备案可以在手机上办了-惠州新闻网</title>
<meta property="og:title" content="惠州市异地就医备案可以在手机上办了">
<meta property="og:site_name" content="惠州新闻网">
<meta property="og:url" content="https://news.example.com/a/2025/0310/88.html">
</head><body>
<nav><a href="/">首页</a><a href="/society">社会</a><a href="/health">健康</a></nav>
<main><article><h1>惠州市异地就医备案可以在手机上办了</h1>
<div class="byline"><span>2025年03月10日 08:15</span> <span>来源：惠州日报</span> <span>记者 林一</span></div>
<p>从本周起，惠州市的参保人出市看病，可以先在手机上办理异地就医备案，不用再跑窗口。</p>
<p>市医保局介绍，备案以后在外地的定点医院住院，出院时直接结算，只付个人负担的部分。长期住在外地的人，备案一次长期有效；临时外出看病的人，备案六个月内有效。</p>
<h2>怎么备案</h2>
<ol><li>打开“国家医保服务平台”，用身份证号登录。</li><li>点“异地备案”，选参保地和就医地。</li>
<li>填好原因，上传承诺书，提交。</li></ol>
<p>没有智能手机的老人，可以请家里人代办，也可以打参保地医保局的电话办理。2019年的老办法同时停用。</p>
<p class="editor">责任编辑：王二</p>
</article></main>
<aside class="sidebar"><h3>热点新闻</h3><ul><li><a href="/1">惠州市地铁二号线开通</a> <span>2025-03-01</span></li>
<li><a href="/2">春季招聘会周六开始</a> <span>2025-03-02</span></li><li><a href="/3">高中阶段招生办法公布</a></li></ul>
<div class="ad">广告：买一送一，点击领取大额优惠券</div></aside>
<footer>关于我们 | 联系我们 | 惠州新闻网版权所有</footer></body></html>"""

WECHAT = """<!DOCTYPE html><html><head><meta charset="utf-8"><title></title>
<meta property="og:title" content="生育津贴怎么领？三步就够">
<meta property="og:site_name" content="微信公众平台">
<meta property="og:url" content="http://mp.weixin.qq.com/s?__biz=MzA=&amp;mid=1">
<script>var ct = "1741570200"; var nickname = "惠州医保";</script></head><body id="activity-detail">
<div class="rich_media"><div class="rich_media_area_primary"><h1 class="rich_media_title" id="activity-name">
生育津贴怎么领？三步就够
</h1><div id="meta_content" class="rich_media_meta_list"><span class="rich_media_meta rich_media_meta_text">原创</span>
<span class="rich_media_meta rich_media_meta_nickname"><a id="js_name">惠州医保</a></span>
<em id="publish_time" class="rich_media_meta rich_media_meta_text">2025年3月10日 09:30</em></div>
<div class="rich_media_content" id="js_content" style="visibility: hidden; opacity: 0;">
<section><section><span>点击上方</span><span style="color:blue">蓝字</span><span>关注我们</span></section></section>
<section><p><span>生育津贴</span><span>由生育保险基金支付，</span><strong><span>不用</span></strong><span>单位先垫钱。</span></p></section>
<section><p><span>第一步，生完孩子以后，把出生证明和出院小结交给单位。</span></p></section>
<section><p><span>第二步，单位在网上提交申请，医保局在</span><span>10</span><span>个工作日内审核。</span></p></section>
<section><p><span>第三步，津贴打到本人的银行卡。津贴的天数按产假的天数计算，一般是</span><span>158天。</span></p></section>
<section><p><br></p></section><section><p><span>END</span></p></section>
<section><p>扫描二维码关注我们</p><p>点赞、在看、转发，三连支持一下</p></section>
</div></div></div><div class="qr_code_pc">微信扫一扫关注该公众号</div></body></html>"""

OLD = """<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312">
<title>居民医保参保缴费须知</title></head><body bgcolor="#FFFFFF">
<table width="760" align="center" cellspacing="0"><tr><td bgcolor="#0066CC"><font color="#FFFFFF">
<a href="index.htm">首页</a> | <a href="news.htm">新闻</a> | <a href="law.htm">法规</a> | <a href="guide.htm">指南</a></font></td></tr>
<tr><td><table width="100%"><tr><td width="160" valign="top"><font size="2"><a href="1.htm">机构职能</a><br>
<a href="2.htm">领导分工</a><br><a href="3.htm">联系方式</a></font></td><td valign="top">
<p align="center"><font size="5" face="黑体"><b>居民医保参保缴费须知</b></font></p>
<p align="center"><font size="2">发布日期：2023年9月1日　　来源：惠州市社保中心</font></p>
<font size="3">　　一、缴费时间：每年9月1日至12月31日，过期不能补交当年的费用。<br>
　　二、缴费标准：2024年度个人缴费380元，低保对象由政府全额资助，不用本人交钱。<br>
　　三、缴费办法：可以到村（社区）代办点交，也可以在手机银行里交。缴费以后请保存好凭据，
第二年一月一日起就可以享受待遇。新生儿在出生后三个月内参保的，从出生那天起享受待遇。<br></font>
</td></tr></table></td></tr><tr><td align="center"><font size="2">Copyright 2005-2023 惠州市社保中心 [<a href="javascript:window.close()">关闭窗口</a>]</font></td></tr></table>
</body></html>"""

LINKED = (
    """<!DOCTYPE html><html><head><meta charset="utf-8"><title>门诊慢特病怎么认定 - 惠州健康问答</title></head><body>
<div id="top"><a href="/">惠州健康问答</a> <a href="/login">登录</a> <a href="/reg">注册</a></div>
<div class="main"><h1>门诊慢特病怎么认定</h1><p class="time">时间：2024-06-05 来源：惠州健康问答 阅读：3321</p>
<div class="content"><p>高血压、糖尿病等慢性病的病人，可以向参保地的医保经办机构申请门诊慢特病认定，认定后门诊买药也能报销。</p>
<h3>要带的材料</h3><ul><li>身份证或者社保卡。</li><li>近两年的住院病历或者门诊病历。</li><li>二级以上医院的诊断证明。</li></ul>
<h3>多久有结果</h3><p>材料齐全的，经办机构在20个工作日内给出结果。没有通过的，可以补充材料再申请一次。</p></div>
<div class="related"><h3>相关推荐</h3><ul>
"""
    + "\n".join(
        f'<li><a href="/q/{n}.html">{name}</a><p>{name}要看参保地的规定，各地的办法不一样，详情请看…</p></li>'
        for n, name in enumerate(
            [
                "门诊慢特病和普通门诊的区别",
                "慢特病卡怎么补办",
                "慢特病换医院怎么办",
                "糖尿病算不算慢特病",
                "慢特病一年报多少",
                "异地能用慢特病吗",
                "慢特病药店能报吗",
                "高血压几级能办慢特病",
                "慢特病多久年审一次",
                "门特和门慢有什么不同",
            ]
            * 3
        )
    )
    + """</ul></div>
<div class="hot"><h4>热门标签</h4><a>医保</a><a>社保</a><a>公积金</a></div>
<div class="footer">惠州健康问答 版权所有 备案号 0000</div></div></body></html>"""
)

HOSPITAL = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>异地医保患者办理入院须知 - 惠州市某某医院</title></head><body>
<header><a href="/">医院首页</a><a href="/dept">科室导航</a><a href="/doctor">专家介绍</a><a href="/guide">就医指南</a></header>
<div class="wrap"><div class="left"><ul><li><a href="/guide/1">门诊流程</a></li><li><a href="/guide/2">住院流程</a></li></ul></div>
<div class="content"><h2 class="title">异地医保患者办理入院须知</h2><p class="info">发布日期：2024-03-15　点击数：208</p>
<p>外地参保的患者住院以前，请先在参保地办好备案，再带齐材料到一楼医保窗口登记。</p>
<table><thead><tr><th>窗口</th><th>办理时间</th><th>要带的材料</th></tr></thead><tbody>
<tr><td rowspan="2">医保窗口</td><td>周一至周五8:00—17:30</td><td>身份证、社保卡</td></tr>
<tr><td>周六8:00—12:00</td><td>身份证、社保卡、急诊证明</td></tr>
<tr><td>住院处</td><td>每天8:00—20:00</td><td>住院证、押金</td></tr></tbody></table>
<p>出院当天先到医生处开出院证明，再到住院处结算，医保支付的部分不用自己先垫。</p></div></div>
<footer>地址：惠州市某某路1号　版权所有 惠州市某某医院</footer></body></html>"""

STATE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>国家医保局 财政部关于做好2024年居民医保工作的通知_国务院部门文件_某某政府网</title>
<meta name="firstpublishedtime" content="2024-08-26-10:00:00"></head><body><div class="header"><a href="/">首页</a></div>
<div><table><tr><td><b>标　　题：</b></td><td>国家医保局 财政部关于做好2024年居民医保工作的通知</td></tr>
<tr><td><b>发文机关：</b></td><td>国家医保局 财政部</td></tr><tr><td><b>发文字号：</b></td><td>医保发〔2024〕19号</td>
<td><b>公文种类：</b></td><td>通知</td></tr><tr><td><b>成文日期：</b></td><td>2024年08月19日</td></tr></table></div>
<div class="content"><p><strong>国家医保局 财政部关于做好2024年<br/>居民医保工作的通知</strong></p><p>医保发〔2024〕19号</p>
<p>　　为了做好2024年的居民医保，现通知如下。</p><p>　　<strong>一、合理提高筹资标准</strong></p>
<p>　　财政补助的标准增加30元，达到每人每年不低于670元。</p></div><div class="editor">责任编辑：某某</div></body></html>"""
