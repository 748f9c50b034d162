using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImageStore.Integration.Tests.Support;

/// <summary>nginx with the servers that a test writes, and certificates for them.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly string _work;
    private Process _server;

    private Nginx(Process server, string work) => (_server, _work) = (server, work);

    /// <summary>Starts it.</summary>
    /// <param name="work">Its folder, which may hold what <see cref="WriteCertificateAsync"/> wrote.</param>
    /// <param name="host">An address that answers when it is up.</param>
    /// <param name="servers">What stands in its <c>http</c> block.</param>
    public static async Task<Nginx> StartAsync(string work, string host, string servers)
    {
        Directory.CreateDirectory(work);
        await File.WriteAllTextAsync(Path.Combine(work, "nginx.conf"), $$"""
            daemon off;
            user root;
            pid {{work}}/pid;
            error_log stderr error;
            events { }
            http {
                access_log off;
                client_max_body_size 0;
                client_body_temp_path {{work}}/body; proxy_temp_path {{work}}/proxy; fastcgi_temp_path {{work}}/f;
                uwsgi_temp_path {{work}}/u; scgi_temp_path {{work}}/s;
                {{servers}}
            }
            """);
        var server = Launch(work);
        await Addresses.WaitAsync(host);
        return new Nginx(server, work);
    }

    /// <summary>Ends it in the middle of everything, and starts it again.</summary>
    public async Task RestartAsync(string host)
    {
        await DisposeAsync();
        _server = Launch(_work);
        await Addresses.WaitAsync(host);
    }

    public async ValueTask DisposeAsync()
    {
        _server.Kill(entireProcessTree: true);
        await _server.WaitForExitAsync();
        _server.Dispose();
    }

    /// <summary>Writes <c>NAME.pem</c> and <c>NAME.key</c>, a certificate that vouches for itself.</summary>
    /// <returns>The certificate's path.</returns>
    public static async Task<string> WriteCertificateAsync(string work, string name, IPAddress? address)
    {
        Directory.CreateDirectory(work);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        if (address is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(address);
            request.CertificateExtensions.Add(names.Build());
        }

        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var path = Path.Combine(work, $"{name}.pem");
        await File.WriteAllTextAsync(path, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(work, $"{name}.key"), key.ExportPkcs8PrivateKeyPem());
        return path;
    }

    private static Process Launch(string work)
    {
        var server = Run.Start("nginx", ["-c", Path.Combine(work, "nginx.conf"), "-p", work]);
        server.BeginErrorReadLine();
        server.BeginOutputReadLine();
        return server;
    }
}
