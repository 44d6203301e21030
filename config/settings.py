"""Settings. Everything a deployment may change comes from the environment (docs/operations.md)."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url

from config.environment import BASE, data_folder, is_on, listed, number, secret_key
from config.headers import origins_of, page_policy
from config.signing_in.provider_settings import providers

BASE_DIR = BASE
DATA = data_folder()

DEBUG = is_on("DEBUG")
DEMO = is_on("COUNTERSIGN_DEMO")  # set by `manage.py demo` for its children; nothing else should set it
PORT = int(os.environ.get("PORT", "8000"))
SECRET_KEY = secret_key()
SECRET_KEY_FALLBACKS = listed("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")
# What links in mails and API answers begin with.
SITE_URL = os.environ.get("SITE_URL", f"http://localhost:{PORT}").rstrip("/")

INSTALLED_APPS = [
    "config.apps.Config",  # before Unfold: its templates override Unfold's
    "reviews.apps.Reviews",
    "workflows.apps.Workflows",
    "unfold.apps.BasicAppConfig",  # its other one would put a site of its own in the place of ours
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "config.apps.Admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "simple_history",
    "guardian",
    "django_q",
    # Second factors, passkeys and single sign-on; who is signed in where.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "ninja",  # serves the scripts of the API's page of documents, so that it needs no other host
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "config.headers.add_headers",  # before what serves static files, so that they have them too
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.view_as.ViewAsMiddleware",  # after who signed in is known, and before anything asks who it is
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.signing_in.sessions.SessionAges",
    "config.signing_in.second_factor.SecondFactorAsked",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.signing_in.around.admin_around_account",
            ]
        },
    }
]


# Django's own, which write the audit log as the last of each transaction.
ENGINES = {f"django.db.backends.{name}": f"config.databases.{name}" for name in ("sqlite3", "postgresql")}


def database() -> dict[str, Any]:
    url = os.environ.get("DATABASE_URL")
    if url:
        chosen: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True))
        if chosen["ENGINE"] not in ENGINES:
            raise SystemExit(
                "DATABASE_URL names another database than SQLite or PostgreSQL; these two are supported."
            )
        chosen["ENGINE"] = ENGINES[chosen["ENGINE"]]
        if "sqlite" not in chosen["ENGINE"]:
            return chosen
    else:
        chosen = {"ENGINE": ENGINES["django.db.backends.sqlite3"], "NAME": DATA / "countersign.sqlite3"}
    # WAL with immediate transactions: eight writers without one lock error, where the defaults had hundreds.
    chosen["CONN_MAX_AGE"] = None
    chosen["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
    if os.environ.get("PYTEST_VERSION"):
        # A test database on disk, so that other threads and processes see the same rows.
        chosen["TEST"] = {"NAME": DATA / f"test-{os.getpid()}.sqlite3"}
    return chosen


DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Without guardian's backend: `has_perm` with an object would be a second door, and one that does not know when a grant ends.
AUTHENTICATION_BACKENDS = ["config.backends.PasswordBackend"]
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # that its backend is not there
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ANONYMOUS_USER_NAME = None  # guardian's anonymous user: nobody here works without signing in
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# Signing in: docs/decisions/0013-signing-in.md. How many failures lock an account, or an address, and for how long.
SIGN_IN_FAILURES = number("SIGN_IN_FAILURES", 5)
SIGN_IN_FAILURES_OF_ADDRESS = number("SIGN_IN_FAILURES_OF_ADDRESS", 50)
SIGN_IN_LOCK_MINUTES = number("SIGN_IN_LOCK_MINUTES", 15)
PASSWORD_SIGN_IN = is_on("PASSWORD_SIGN_IN", default=True)  # off: superusers alone sign in with a password
# Nobody, superusers, or everybody has to have a second factor.
REQUIRE_SECOND_FACTOR = os.environ.get("REQUIRE_SECOND_FACTOR", "").strip().lower()
# A session ends after so long whatever is done in it, and after so long without a request (0: no limit).
SESSION_HOURS = number("SESSION_HOURS", 12)
SESSION_IDLE_MINUTES = number("SESSION_IDLE_MINUTES", 0)
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
# How many proxies stand in front: the address of whoever calls is read from X-Forwarded-For, so far from its end.
ALLAUTH_TRUSTED_PROXY_COUNT = number("TRUSTED_PROXIES", 1 if is_on("HTTPS") else 0)

ACCOUNT_ADAPTER = "config.signing_in.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_RATE_LIMITS = (
    False  # ours count in the database (config/signing_in/lock_out.py), for all processes together
)
ACCOUNT_USERNAME_BLACKLIST = ["system"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # superusers make accounts; nobody signs up under another's address
MFA_ADAPTER = "config.signing_in.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "config.signing_in.forms.CodeForm",
    "reauthenticate": "config.signing_in.forms.CodeAgainForm",
    "activate_totp": "config.signing_in.forms.FirstCodeForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # a clock that is 30 seconds off
MFA_TOTP_ISSUER = "Countersign"
MFA_RATE_LIMITS = False
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = (
    urlsplit(SITE_URL).hostname == "localhost"
)  # browsers hold to https elsewhere
USERSESSIONS_TRACK_ACTIVITY = False
SOCIALACCOUNT_ADAPTER = "config.signing_in.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_PROVIDERS = providers()

LANGUAGE_CODE = "en-gb"
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "config.formats"

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATIC_ROOT.mkdir(
    exist_ok=True
)  # WhiteNoise warns of a folder that is missing; files come through the finders
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = DATA / "files"  # never served by a URL of its own: sources go through the one door
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Uploads: the API and the admin form say 413 in words long before memory is a question.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 50
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a list of 500 rows, each cell an input
MAX_FILES_PER_ITEM = 20
MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_TEXT_CHARACTERS = 200_000

# Requests that one API key may make in a minute, counted in the database for all web processes together.
API_REQUESTS_PER_MINUTE = int(os.environ.get("API_REQUESTS_PER_MINUTE", "600"))
MAX_REQUEST_BYTES = 100 * 1024 * 1024
# Pictures of pages: those drawn for one person in a minute, and the room on the disk for those that are kept.
PICTURES_DRAWN_PER_MINUTE = 240
MOST_PICTURE_BYTES = 1024**3
# What one web process notes, such as a one-time code that was used, all of them have to see.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "countersign_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
if os.environ.get("REDIS_URL"):
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["REDIS_URL"],
    }

# The mail that Countersign sends. Without a server each is a file in the data folder, so that it can be read.
EMAIL_URL = os.environ.get("EMAIL_URL", "")  # smtp://user:password@host:port, smtp+tls://..., smtps://...
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "countersign@localhost")


MAIL_PORTS = {"smtps": 465, "smtp+tls": 587}


def mailer() -> dict[str, Any]:
    backends = "django.core.mail.backends"
    if not EMAIL_URL:
        return {"BACKEND": f"{backends}.filebased.EmailBackend", "OPTIONS": {"file_path": str(DATA / "mail")}}
    url = urlsplit(EMAIL_URL)
    options: dict[str, Any] = {
        "host": url.hostname or "localhost",
        "port": url.port or MAIL_PORTS.get(url.scheme, 25),
        "timeout": 20,
    }
    if url.username:
        options |= {"username": unquote(url.username), "password": unquote(url.password or "")}
    options |= {"use_tls": url.scheme == "smtp+tls", "use_ssl": url.scheme == "smtps"}
    return {"BACKEND": f"{backends}.smtp.EmailBackend", "OPTIONS": options}


MAILERS = {"default": mailer()}

# The queue is a wake-up; the rows are the truth. See docs/decisions/0002-worker.md for each number.
WORKERS = int(os.environ.get("WORKERS", "4"))
Q_CLUSTER: dict[str, Any] = {
    "name": "countersign",
    "label": "Queue",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "timeout": 1800,
    "retry": 1860,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "scheduler": False,
    "poll": 0.2,
    "recycle": 500,
    "orm": "default",
}
if redis_url := os.environ.get("REDIS_URL"):
    del Q_CLUSTER["orm"]
    Q_CLUSTER["redis"] = redis_url

# Money: every amount is in one currency. Published prices are in dollars; the rate is the units of it for one dollar.
CURRENCY = os.environ.get("COUNTERSIGN_CURRENCY", "USD").strip().upper()
USD_RATE = Decimal(os.environ.get("COUNTERSIGN_USD_RATE", "1"))
USD_RATE_IS_SAID = "COUNTERSIGN_USD_RATE" in os.environ

# How the workers work (seconds, counts).
LEASE_SECONDS = 15
CALLS_IN_FLIGHT = int(os.environ.get("CALLS_IN_FLIGHT", "0"))  # 0: 32 for a server, 1 for the embedded model
HEARTBEAT_LIMIT = 10

# How long an item stays a reviewer's own after their last sign of work on it.
CLAIM_SECONDS = 900

# Addresses a webhook may reach although they are private, for people who run their own systems beside this one.
ALLOWED_PRIVATE_HOSTS = listed("ALLOWED_PRIVATE_HOSTS", "127.0.0.1,localhost" if DEMO else "")


def static_file(name: str) -> Callable[[object], str]:
    def address(_: object) -> str:
        from django.templatetags.static import static  # needs these settings

        return static(name)

    return address


UNFOLD = {
    "SITE_TITLE": "Countersign",
    "SITE_HEADER": "Countersign",
    "SITE_SYMBOL": "approval",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,  # the site is the admin
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": static_file("countersign/icon.svg")}],
    "STYLES": [static_file(f"countersign/{name}.css") for name in ("style", "lists", "source", "builder", "worth", "register", "help", "reports", "account")],
    "SCRIPTS": [
        static_file("countersign/keys.js"),
        static_file("countersign/lists.js"),
        static_file("countersign/sidebar.js"),
    ],
    "LOGIN": {"form": "config.signing_in.forms.SignInForm"},
    "TABS": "config.tabs.tabs",
    "SIDEBAR": {"show_search": True, "navigation": "config.sidebar.navigation"},
    "DASHBOARD_CALLBACK": "config.home.dashboard",
    "COLORS": {
        # Unfold's own subtle greys fall under 4.5:1 on tinted rows.
        "font": {
            "subtle-light": "var(--color-base-600)", "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-700)", "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)", "important-dark": "var(--color-base-100)",
        },
        "primary": {
            "50": "#eef9f9", "100": "#d3efef", "200": "#aadfe0", "300": "#7ccacd", "400": "#5cc3c8",
            "500": "#35a0a6", "600": "#0f6b73", "700": "#0d5a61", "800": "#0d494f", "900": "#0c3c41",
            "950": "#062528",
        }
    },
}  # fmt: skip

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Where a sign-in form may end: the issuer, and those that it sends people on to.
SECURE_CSP = page_policy(
    sign_in_origins=origins_of(os.environ.get("OIDC_ISSUER", ""), *listed("OIDC_ORIGINS"))
)
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if is_on("HTTPS"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # Browsers take cookies of these names from this very host over TLS alone: a neighbouring host cannot plant them.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = is_on("HSTS_SUBDOMAINS") or "HSTS_SUBDOMAINS" not in os.environ
    # The browsers' own list takes a whole domain and gives it back after months: no application decides that.
    SILENCED_SYSTEM_CHECKS += ["security.W021"]

# The audit log: where the head of its chain is written down outside the database (docs/audit.md).
AUDIT_ANCHORS = DATA / "anchors.jsonl"
AUDIT_ANCHOR_URL = os.environ.get(
    "AUDIT_ANCHOR_URL", ""
).strip()  # signed with the secret in AUDIT_ANCHOR_SECRET

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.masked_logs.MaskedFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            "datefmt": "%H:%M:%S",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "openai": {"level": "WARNING"},
        "django-q": {"level": os.environ.get("QUEUE_LOG_LEVEL", "WARNING")},
    },
}

Path(MEDIA_ROOT).mkdir(exist_ok=True)
