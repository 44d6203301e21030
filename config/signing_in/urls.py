"""The addresses of signing in. Only what is used of allauth: nobody signs up, changes an e-mail or resets a password here."""

from __future__ import annotations

from allauth.account import views as account_views
from allauth.mfa.base import views as factor_views
from allauth.mfa.recovery_codes import views as code_views
from allauth.mfa.totp import views as app_views
from allauth.mfa.webauthn import views as key_views
from django.contrib import admin
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from config.signing_in import account_page, provider
from config.signing_in.account_page import for_signed_in
from config.signing_in.first_password import FirstPassword

to_account = RedirectView.as_view(pattern_name="account")
to_front_door = RedirectView.as_view(pattern_name="admin:login", query_string=True)

urlpatterns = [
    path("", for_signed_in(account_page.account), name="account"),
    path("sessions/<int:pk>/end/", for_signed_in(account_page.end_one), name="account_end_session"),
    path("sign-out-everywhere/", for_signed_in(account_page.end_all), name="account_sign_out_everywhere"),
    path("password/<uidb64>/<token>/", FirstPassword.as_view(), name="account_first_password"),
    # allauth asks for these by name
    path("sign-in/", to_front_door, name="account_login"),
    path("sign-out/", admin.site.logout, name="account_logout"),
    path("inactive/", to_front_door, name="account_inactive"),
    path("confirm/", account_views.reauthenticate, name="account_reauthenticate"),
    path("factors/", to_account, name="mfa_index"),
    path("code/", factor_views.authenticate, name="mfa_authenticate"),
    path("confirm/code/", factor_views.reauthenticate, name="mfa_reauthenticate"),
    path("app/add/", app_views.activate_totp, name="mfa_activate_totp"),
    path("app/remove/", app_views.deactivate_totp, name="mfa_deactivate_totp"),
    path("recovery-codes/", never_cache(code_views.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", code_views.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("recovery-codes/file/", code_views.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("passkeys/", to_account, name="mfa_list_webauthn"),
    path("passkeys/add/", key_views.add_webauthn, name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove/", key_views.remove_webauthn, name="mfa_remove_webauthn"),
    path("passkeys/<int:pk>/name/", key_views.edit_webauthn, name="mfa_edit_webauthn"),
    path("passkeys/sign-in/", key_views.login_webauthn, name="mfa_login_webauthn"),
    path("confirm/passkey/", key_views.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("single-sign-on/<slug:provider_id>/", provider.begin, name="openid_connect_login"),
    path("single-sign-on/<slug:provider_id>/back/", provider.come_back, name="openid_connect_callback"),
    path("single-sign-on-cancelled/", to_front_door, name="socialaccount_login_cancelled"),
    path("single-sign-on-linked/", to_account, name="socialaccount_connections"),
]
