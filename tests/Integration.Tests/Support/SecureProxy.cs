using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImageStore.Integration.Tests.Support;

/// <summary>nginx before the registry: TLS with an authority of its own, and basic authentication.</summary>
internal sealed class SecureProxy : IAsyncDisposable
{
    public const string User = "someone";
    public const string Password = "pass word";

    private readonly Process _server;

    private SecureProxy(Process server, string host, string authority) =>
        (_server, Host, AuthorityFile) = (server, host, authority);

    public string Host { get; }

    /// <summary>The certificate to trust, as PEM.</summary>
    public string AuthorityFile { get; }

    public static async Task<SecureProxy> StartAsync(string registry, IPAddress address, string work)
    {
        Directory.CreateDirectory(work);
        var authority = await WriteCertificateAsync(work, address);
        var host = $"{address}:{Addresses.FreePort()}";
        await File.WriteAllTextAsync(Path.Combine(work, "users"), $"{User}:{{PLAIN}}{Password}\n");
        await File.WriteAllTextAsync(Path.Combine(work, "nginx.conf"), $$"""
            daemon off;
            user root;
            pid {{work}}/pid;
            error_log stderr error;
            events { }
            http {
                access_log off;
                client_body_temp_path {{work}}/body; proxy_temp_path {{work}}/proxy; fastcgi_temp_path {{work}}/f;
                uwsgi_temp_path {{work}}/u; scgi_temp_path {{work}}/s;
                server {
                    listen {{host}} ssl;
                    ssl_certificate {{work}}/server.pem;
                    ssl_certificate_key {{work}}/server.key;
                    location / {
                        auth_basic "registry";
                        auth_basic_user_file {{work}}/users;
                        proxy_set_header Host $http_host;
                        proxy_set_header Authorization "";
                        proxy_pass http://{{registry}};
                    }
                }
            }
            """);
        var server = Run.Start("nginx", ["-c", Path.Combine(work, "nginx.conf"), "-p", work]);
        server.BeginErrorReadLine();
        server.BeginOutputReadLine();
        await Addresses.WaitAsync(host);
        return new SecureProxy(server, host, authority);
    }

    public async ValueTask DisposeAsync()
    {
        _server.Kill(entireProcessTree: true);
        await _server.WaitForExitAsync();
        _server.Dispose();
    }

    private static async Task<string> WriteCertificateAsync(string work, IPAddress address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=registry test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var path = Path.Combine(work, "server.pem");
        await File.WriteAllTextAsync(path, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(work, "server.key"), key.ExportPkcs8PrivateKeyPem());
        return path;
    }
}
