"""Settings, by environment or `.env` (all of them in `.env.example`).

While `./run` runs, what it chose (ports, passwords, the secret key) lies in `PACELINE_HOME/run.env`
and is read with the lowest precedence, so that `manage.py` works in a second terminal.
"""

from pathlib import Path

from config.environment import Environment
from config.logs import FORMATS, default_format, logging_settings
from serving import limits

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = Environment(BASE_DIR)

PACELINE_URL = env.start.url
PACELINE_SCHEME = env.url.scheme
PACELINE_BASE_DOMAIN = env.url.hostname or ""
PACELINE_PORT_SUFFIX = f":{env.url.port}" if env.url.port else ""
PACELINE_HOME = env.start.home
# What is kept outside of the database for an agency, and goes with it: below the home.
AGENCY_FILES = ["demo/{slug}.key"]
PACELINE_DEMO_PASSWORD = env.start.demo_password or ""
# The simulator connects to loopback with a Host header: `acme.localhost` resolves on few machines.
PACELINE_PORT = env.start.port
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
METRICS_TOKEN = env.values.get("METRICS_TOKEN", "")

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret_key()

HTTPS = PACELINE_SCHEME == "https"
# The host names the agency: the first middleware answers 404 to any host that it does not know.
ALLOWED_HOSTS = ["*"]

SHARED_APPS = [
    # Before django_tenants: its commands stand for that package's.
    "tenants",
    "django_tenants",
    "config",
    "django_celery_beat",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "trail",
    "accounts",
]
TENANT_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "allauth.account",
    "allauth.mfa",
    "trail",
    "accounts",
    "budgets",
    "dayparting",
    "campaigns",
    "api",
]
_EVERY_APP = [
    # The faces come first: their templates stand for those of the packages.
    "backoffice",
    "portal",
    "api",
    "demo",
    *SHARED_APPS,
    *TENANT_APPS,
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    # In no schema: the trail has one table of its own instead of theirs.
    "pgtrigger",
    "pghistory",
]
# Each once, where it is named first.
INSTALLED_APPS = list(dict.fromkeys(_EVERY_APP))

TENANT_MODEL = "tenants.Agency"
TENANT_DOMAIN_MODEL = "tenants.Domain"
# Triggers name no schema, so that each agency's are about its own.
PGTRIGGER_SCHEMA = None
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_LIMIT_SET_CALLS = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A lock that can't be had, a statement that finds no end, and a transaction in which nothing
# happens end by themselves; the first two are answered 503. manage.py sets no end to a statement.
LOCK_TIMEOUT_SECONDS = 10
# Without it, a server that is stopped or cut off keeps every thread of the web.
CONNECT_TIMEOUT_SECONDS = 10
STATEMENT_TIMEOUT_SECONDS = 30
IDLE_IN_TRANSACTION_TIMEOUT_SECONDS = 60
DATABASES = {
    "default": {
        **env.database(
            connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
            lock_timeout=f"{LOCK_TIMEOUT_SECONDS}s",
            statement_timeout=f"{STATEMENT_TIMEOUT_SECONDS}s",
            idle_in_transaction_session_timeout=f"{IDLE_IN_TRANSACTION_TIMEOUT_SECONDS}s",
            timezone="UTC",
        ),
        "ENGINE": "fence",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
# Who owns the schemas: migrates, makes and removes them. None: who logs in anyway.
OWNER_DATABASE = env.owner_database(DATABASES["default"])
# Each context runs as a role of its own. Off where the database can't have them.
DATABASE_ROLES = env.flag("DATABASE_ROLES", default=True)

MIDDLEWARE = [
    "config.middleware.TrustedProxies",
    "config.request_log.RequestLog",
    # These put headers on every answer, so they stand before whoever may answer.
    "config.middleware.GuardedAnswers",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.RefuseWhereFull",
    "tenants.middleware.AgencyFromHost",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.BodyLimit",
    "config.middleware.Deadline",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.OriginByReferer",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ActingUser",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.CountPages",
    "accounts.middleware.SecondFactorFirst",
    "config.middleware.AnswerRefusals",
]
ROOT_URLCONF = "config.urls"
PUBLIC_SCHEMA_URLCONF = "config.urls_public"
WSGI_APPLICATION = "config.wsgi.application"
BODY_BYTES_MAX: int = limits.BODY_BYTES_MAX
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_BYTES_MAX
# No statement begins later than this in a request, and none takes longer than its own timeout.
REQUEST_SECONDS_MAX = 60

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# People ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "accounts.support.SupportBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Whether anybody may open an agency on the platform's site.
SIGN_UP = env.flag("SIGN_UP")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.passwords.PasswordTokens"  # noqa: S105
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# Whoever logs in has proved the address: the first password came by mail. Another address takes
# effect when its link was opened; whether somebody has it already, nobody is told before.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# allauth would put the request's host there.
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_SESSION_REMEMBER = True
MFA_ADAPTER = "accounts.second_factors.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "accounts.second_factors.AddPasskeyForm",
    "authenticate": "accounts.second_factors.LogInForm",
    "reauthenticate": "accounts.second_factors.ConfirmForm",
}
# A telephone's clock is off by some seconds; each code still counts once.
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers offer passkeys without https on localhost only, so nowhere else.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

# The web's own rules ----------------------------------------------------------------------------
_COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "accounts.sessions"
# A cookie of their own would be one more that a neighbour's host could set.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# What no page of ours ever asks a browser for.
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# Language, time, files --------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
# Served from the packages themselves: nothing to collect, and nothing to forget after an upgrade.
WHITENOISE_USE_FINDERS = True
# No page elsewhere needs our files.
WHITENOISE_ALLOW_ALL_ORIGINS = False

vars().update(env.email())
DEFAULT_FROM_EMAIL = SERVER_EMAIL = f"Paceline <no-reply@{PACELINE_BASE_DOMAIN}>"

# Redis / Valkey ---------------------------------------------------------------------------------
REDIS_URL = env.redis()
CACHES = {
    "default": {
        "BACKEND": "kernel.caches.PatientCache",
        "LOCATION": REDIS_URL,
        "KEY_FUNCTION": "django_tenants.cache.make_key",
        "REVERSE_KEY_FUNCTION": "django_tenants.cache.reverse_key",
    }
}
CELERY_BROKER_URL = REDIS_URL
# As a backstop every agency is swept whole once in this time.
FULL_SWEEP_SECONDS = env.whole("FULL_SWEEP_SECONDS", default=300, least=60)
# What one agency may take of a worker at a time; the rest of it waits for the next tick.
AGENCY_SWEEP_SECONDS = env.whole("AGENCY_SWEEP_SECONDS", default=30, least=1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1200}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "config.beat:PlatformScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

# Requests in a minute, to the API and of pages; 0 is no limit. (Log-ins have allauth's own.)
RATE_LIMIT_PER_KEY = env.whole("RATE_LIMIT_PER_KEY", default=10_000, least=0)
RATE_LIMIT_PER_AGENCY = env.whole("RATE_LIMIT_PER_AGENCY", default=10_000, least=0)

# REST -------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.authentication.ApiKeyAuthentication",
        "api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.RoleAllows"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "api.pagination.NumberedPages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.errors.answer",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "NUM_PROXIES": 0,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Paceline",
    "DESCRIPTION": "Brands, budgets, campaigns, spend and dayparting of one agency.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # The description is sent to no validator elsewhere.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "SCHEMA_PATH_PREFIX": "/api/",
}

LOG_FORMAT = env.one_of("LOG_FORMAT", FORMATS, default=default_format())
LOGGING = logging_settings(log_format=LOG_FORMAT, level=env.start.log_level)
