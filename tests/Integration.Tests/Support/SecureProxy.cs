using System.Net;

namespace ImageStore.Integration.Tests.Support;

/// <summary>nginx before the registry: TLS with an authority of its own, and basic authentication.</summary>
internal sealed class SecureProxy : IAsyncDisposable
{
    public const string User = "someone";
    public const string Password = "pass word";

    private readonly Nginx _server;

    private SecureProxy(Nginx server, string host, string authority) => (_server, Host, AuthorityFile) = (server, host, authority);

    public string Host { get; }

    /// <summary>The certificate to trust, as PEM.</summary>
    public string AuthorityFile { get; }

    public static async Task<SecureProxy> StartAsync(string registry, IPAddress address, string work)
    {
        var authority = await Nginx.WriteCertificateAsync(work, "server", address);
        var host = $"{address}:{Addresses.FreePort()}";
        await File.WriteAllTextAsync(Path.Combine(work, "users"), $"{User}:{{PLAIN}}{Password}\n");
        var server = await Nginx.StartAsync(work, host, $$"""
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
            """);
        return new SecureProxy(server, host, authority);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
