"""Server layer: help.* and langpack.*: what a client asks when it starts (C10).

Knows the settings and the address of the server. Most answers are valid and empty: there are no
terms of service, promotions or translations here.
"""

from __future__ import annotations

import re
from functools import cache
from zlib import crc32

from radiogram.server import accounts, render
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.settings import Settings
from radiogram.tl import api

CONFIG_LIFETIME = 3600
"""Seconds for which a client may keep help.getConfig and its like."""
REACTION = "\N{THUMBS UP SIGN}"


@handles(api.help.GetConfig, login=False, shared=True)
def get_config(ctx: Context, request: api.help.GetConfig) -> api.Config:
    world, settings = ctx.world, ctx.world.settings
    options = [
        api.DcOption(
            id=dc_id,
            ip_address=address.host,
            port=address.port,
            ipv6=":" in address.host,
            media_only=media_only,
            static=True,
            this_port_only=True,
        )
        for media_only in ((False, True) if settings.media_options else (False,))
        for dc_id, address in sorted(world.addresses.items())
    ]
    return api.Config(
        date=ctx.now,
        expires=ctx.now + CONFIG_LIFETIME,
        test_mode=settings.test_mode,
        this_dc=ctx.dc_id,
        dc_options=options,
        dc_txt_domain_name="localhost",
        revoke_pm_inbox=True,
        default_p2p_contacts=True,
        chat_size_max=settings.chat_size_max,
        megagroup_size_max=settings.megagroup_size_max,
        forwarded_count_max=settings.forwarded_count_max,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=settings.online_period * 1000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=settings.edit_time_limit,
        revoke_time_limit=2**31 - 1,
        revoke_pm_time_limit=2**31 - 1,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=settings.caption_length_max,
        message_length_max=settings.message_length_max,
        webfile_dc_id=world.dc_id,
        suggested_lang_code="en",
        lang_pack_version=LANG_PACK_VERSION,
        base_lang_pack_version=LANG_PACK_VERSION,
        reactions_default=api.ReactionEmoji(emoticon=REACTION),
    )


@handles(api.help.GetNearestDc, bots=False, login=False)
def get_nearest_dc(ctx: Context, request: api.help.GetNearestDc) -> api.NearestDc:
    return api.NearestDc(
        country=ctx.world.settings.country, this_dc=ctx.dc_id, nearest_dc=ctx.world.dc_id
    )


@handles(api.help.GetCdnConfig, login=False)
def get_cdn_config(ctx: Context, request: api.help.GetCdnConfig) -> api.CdnConfig:
    return api.CdnConfig(public_keys=[])


# ------------------------------------------------------------------ the client's configuration


def _app_config(settings: Settings) -> dict[str, object]:
    return {
        "test": settings.test_mode,
        "emojies_animated_zoom": 0.625,
        "about_length_limit_default": settings.about_length_max,
        "about_length_limit_premium": settings.about_length_max * 2,
        "caption_length_limit_default": settings.caption_length_max,
        "caption_length_limit_premium": settings.caption_length_max * 4,
        "channels_limit_default": 500,
        "channels_limit_premium": 1000,
        "channels_public_limit_default": 10,
        "channels_public_limit_premium": 20,
        "chat_read_mark_expire_period": 604_800,
        "chat_read_mark_size_threshold": 100,
        "dialog_filters_chats_limit_default": 100,
        "dialog_filters_chats_limit_premium": 200,
        "dialog_filters_enabled": True,
        "dialog_filters_limit_default": 10,
        "dialog_filters_limit_premium": 20,
        "dialogs_folder_pinned_limit_default": 100,
        "dialogs_folder_pinned_limit_premium": 200,
        "dialogs_pinned_limit_default": settings.pinned_dialogs_max,
        "dialogs_pinned_limit_premium": settings.pinned_dialogs_max * 2,
        "pm_read_date_expire_period": 604_800,
        "reactions_uniq_max": 11,
        "reactions_user_max_default": 1,
        "reactions_user_max_premium": 3,
        "saved_dialogs_pinned_limit_default": 5,
        "saved_dialogs_pinned_limit_premium": 100,
        "saved_gifs_limit_default": 200,
        "saved_gifs_limit_premium": 400,
        "stickers_faved_limit_default": 5,
        "stickers_faved_limit_premium": 10,
        "topics_pinned_limit": 5,
        "upload_max_fileparts_default": 4000,
        "upload_max_fileparts_premium": 8000,
        "upload_premium_speedup_download": 10,
        "upload_premium_speedup_upload": 10,
    }


def _json(value: object) -> api.TypeJSONValue:
    match value:
        case bool():
            return api.JsonBool(value=value)
        case int() | float():
            return api.JsonNumber(value=float(value))
        case dict():
            return api.JsonObject(
                value=[
                    api.JsonObjectValue(key=key, value=_json(item)) for key, item in value.items()
                ]
            )
        case _:
            return api.JsonString(value=str(value))


@handles(api.help.GetAppConfig, bots=False, login=False)
def get_app_config(ctx: Context, request: api.help.GetAppConfig) -> api.help.TypeAppConfig:
    values = _app_config(ctx.world.settings)
    fingerprint = crc32(repr(values).encode()) & 0x7FFFFFFF
    if request.hash == fingerprint:
        return api.help.AppConfigNotModified()
    return api.help.AppConfig(hash=fingerprint, config=_json(values))


_COUNTRIES = (
    ("DE", "Germany", "49", "XXX XXXXXXXX"),
    ("FR", "France", "33", "X XX XX XX XX"),
    ("GB", "United Kingdom", "44", "XXXX XXXXXX"),
    ("IN", "India", "91", "XXXXX XXXXX"),
    ("US", "USA", "1", "XXX XXX XXXX"),
    ("YL", "Test numbers", "999", "66X XXXX"),
)
_COUNTRIES_HASH = crc32(repr(_COUNTRIES).encode()) & 0x7FFFFFFF


@handles(api.help.GetCountriesList, bots=False, login=False)
def get_countries_list(
    ctx: Context, request: api.help.GetCountriesList
) -> api.help.TypeCountriesList:
    if request.hash == _COUNTRIES_HASH:
        return api.help.CountriesListNotModified()
    countries = [
        api.help.Country(
            iso2=iso2,
            default_name=name,
            country_codes=[api.help.CountryCode(country_code=code, patterns=[pattern])],
        )
        for iso2, name, code, pattern in _COUNTRIES
    ]
    return api.help.CountriesList(countries=countries, hash=_COUNTRIES_HASH)


# ------------------------------------------------------------------ notices and offers: none


@handles(api.help.GetTermsOfServiceUpdate, bots=False)
def get_terms_of_service_update(
    ctx: Context, request: api.help.GetTermsOfServiceUpdate
) -> api.help.TypeTermsOfServiceUpdate:
    return api.help.TermsOfServiceUpdateEmpty(expires=ctx.now + CONFIG_LIFETIME)


@handles(api.help.AcceptTermsOfService, bots=False)
def accept_terms_of_service(ctx: Context, request: api.help.AcceptTermsOfService) -> bool:
    return True


@handles(api.help.GetPromoData, bots=False)
def get_promo_data(ctx: Context, request: api.help.GetPromoData) -> api.help.TypePromoData:
    return api.help.PromoDataEmpty(expires=ctx.now + CONFIG_LIFETIME)


@handles(api.help.HidePromoData, bots=False)
def hide_promo_data(ctx: Context, request: api.help.HidePromoData) -> bool:
    return True


@handles(api.help.DismissSuggestion, bots=False)
def dismiss_suggestion(ctx: Context, request: api.help.DismissSuggestion) -> bool:
    return True


@handles(api.help.GetAppUpdate, bots=False, login=False)
def get_app_update(ctx: Context, request: api.help.GetAppUpdate) -> api.help.TypeAppUpdate:
    return api.help.NoAppUpdate()


@handles(api.help.GetInviteText, bots=False)
def get_invite_text(ctx: Context, request: api.help.GetInviteText) -> api.help.InviteText:
    return api.help.InviteText(message="Talk to me on this test server.")


@handles(api.help.GetSupport, bots=False)
def get_support(ctx: Context, request: api.help.GetSupport) -> api.help.Support:
    people = render.People(ctx.tx, ctx.now)
    (user,) = people.seen_by(ctx.user_id, [accounts.SERVICE_ID])
    return api.help.Support(phone_number=accounts.SERVICE_PHONE, user=user)


@handles(api.help.GetSupportName, bots=False)
def get_support_name(ctx: Context, request: api.help.GetSupportName) -> api.help.SupportName:
    return api.help.SupportName(name=accounts.SERVICE_NAME)


@handles(api.help.SaveAppLog, bots=False, login=False)
def save_app_log(ctx: Context, request: api.help.SaveAppLog) -> bool:
    return True


@handles(api.help.GetRecentMeUrls, bots=False)
def get_recent_me_urls(ctx: Context, request: api.help.GetRecentMeUrls) -> api.help.RecentMeUrls:
    return api.help.RecentMeUrls(urls=[], chats=[], users=[])


@handles(api.help.GetDeepLinkInfo, bots=False, login=False)
def get_deep_link_info(
    ctx: Context, request: api.help.GetDeepLinkInfo
) -> api.help.TypeDeepLinkInfo:
    return api.help.DeepLinkInfoEmpty()


@handles(api.help.GetPeerColors, bots=False)
def get_peer_colors(ctx: Context, request: api.help.GetPeerColors) -> api.help.TypePeerColors:
    return api.help.PeerColors(hash=0, colors=[])


@handles(api.help.GetPeerProfileColors, bots=False)
def get_peer_profile_colors(
    ctx: Context, request: api.help.GetPeerProfileColors
) -> api.help.TypePeerColors:
    return api.help.PeerColors(hash=0, colors=[])


@handles(api.help.GetTimezonesList, bots=False)
def get_timezones_list(
    ctx: Context, request: api.help.GetTimezonesList
) -> api.help.TypeTimezonesList:
    utc = api.Timezone(id="Etc/UTC", name="UTC", utc_offset=0)
    return api.help.TimezonesList(timezones=[utc], hash=1)


@handles(api.help.GetPremiumPromo, bots=False)
def get_premium_promo(ctx: Context, request: api.help.GetPremiumPromo) -> api.help.PremiumPromo:
    return api.help.PremiumPromo(
        status_text="",
        status_entities=[],
        video_sections=[],
        videos=[],
        period_options=[],
        users=[],
    )


@handles(api.help.SetBotUpdatesStatus, users=False)
def set_bot_updates_status(ctx: Context, request: api.help.SetBotUpdatesStatus) -> bool:
    return True


# ------------------------------------------------------------------ langpack.*

LANG_PACK_VERSION = 1
_LANG_PACKS = frozenset(
    ("android", "android_x", "ios", "macos", "tdesktop", "tdlib", "unigram", "weba", "webk")
)
_LANG_CODE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,16}){0,3}", re.ASCII)


@cache
def _english() -> api.LangPackLanguage:
    return api.LangPackLanguage(
        official=True,
        name="English",
        native_name="English",
        lang_code="en",
        plural_code="en",
        strings_count=0,
        translated_count=0,
        translations_url="",
    )


def _check_lang_pack(ctx: Context, lang_pack: str) -> None:
    lang_pack = lang_pack or ctx.caller.authorization.lang_pack
    if lang_pack not in _LANG_PACKS:
        raise RpcFault(400, "LANG_PACK_INVALID")


def _check_lang_code(lang_code: str) -> None:
    if _LANG_CODE.fullmatch(lang_code) is None:
        raise RpcFault(400, "LANG_CODE_NOT_SUPPORTED")


@handles(api.langpack.GetLangPack, bots=False, login=False)
def get_lang_pack(ctx: Context, request: api.langpack.GetLangPack) -> api.LangPackDifference:
    _check_lang_pack(ctx, request.lang_pack)
    _check_lang_code(request.lang_code)
    return api.LangPackDifference(
        lang_code=request.lang_code, from_version=0, version=LANG_PACK_VERSION, strings=[]
    )


@handles(api.langpack.GetDifference, bots=False, login=False)
def get_lang_pack_difference(
    ctx: Context, request: api.langpack.GetDifference
) -> api.LangPackDifference:
    _check_lang_pack(ctx, request.lang_pack)
    _check_lang_code(request.lang_code)
    return api.LangPackDifference(
        lang_code=request.lang_code,
        from_version=request.from_version,
        version=LANG_PACK_VERSION,
        strings=[],
    )


@handles(api.langpack.GetStrings, bots=False, login=False)
def get_strings(ctx: Context, request: api.langpack.GetStrings) -> list[api.TypeLangPackString]:
    _check_lang_pack(ctx, request.lang_pack)
    _check_lang_code(request.lang_code)
    return [api.LangPackStringDeleted(key=key) for key in request.keys]


@handles(api.langpack.GetLanguages, bots=False, login=False)
def get_languages(ctx: Context, request: api.langpack.GetLanguages) -> list[api.LangPackLanguage]:
    _check_lang_pack(ctx, request.lang_pack)
    return [_english()]


@handles(api.langpack.GetLanguage, bots=False, login=False)
def get_language(ctx: Context, request: api.langpack.GetLanguage) -> api.LangPackLanguage:
    _check_lang_pack(ctx, request.lang_pack)
    if request.lang_code != "en":
        raise RpcFault(400, "LANG_CODE_NOT_SUPPORTED")
    return _english()
