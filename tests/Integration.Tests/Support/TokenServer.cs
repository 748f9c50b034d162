using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using ImageStore.TestKit;

namespace ImageStore.Integration.Tests.Support;

/// <summary>A token server that docker-registry believes: it signs what the user with the password may do.</summary>
internal sealed class TokenServer : IAsyncDisposable
{
    public const string User = "someone";
    public const string Password = "token pass";

    private const string Service = "registry.test";
    private const string Issuer = "issuer.test";

    private readonly FakeRegistry _http = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;

    public TokenServer(string work)
    {
        Directory.CreateDirectory(work);
        var now = TimeProvider.System.GetUtcNow();
        _certificate = new CertificateRequest("CN=issuer", _key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        Bundle = Path.Combine(work, "issuer.pem");
        File.WriteAllText(Bundle, _certificate.ExportCertificatePem());
        _http.Intercept = Answer;
    }

    /// <summary>What the registry's configuration says of it.</summary>
    public string Configuration =>
        $"auth: {{token: {{realm: \"http://{_http.Host}/token\", service: {Service}, issuer: {Issuer}, rootcertbundle: {Bundle}}}}}";

    /// <summary>The scopes that were asked for.</summary>
    public IEnumerable<string> Scopes => _http.Requests.SelectMany(request => ScopesOf(request.Target));

    private string Bundle { get; }

    public async ValueTask DisposeAsync()
    {
        await _http.DisposeAsync();
        _certificate.Dispose();
        _key.Dispose();
    }

    private FakeResponse Answer(FakeRequest request)
    {
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));
        if (request.Header("Authorization") != basic)
        {
            return FakeResponse.Text(401, """{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}""");
        }

        var access = new JsonArray([.. ScopesOf(request.Target).Select(scope => scope.Split(':', 3)).Select(parts => (JsonNode)new JsonObject
        {
            ["type"] = parts[0],
            ["name"] = parts[1],
            ["actions"] = new JsonArray([.. parts[2].Split(',').Select(action => (JsonNode)action)]),
        })]);
        return FakeResponse.Text(200, new JsonObject { ["token"] = Sign(access), ["expires_in"] = 60 }.ToJsonString());
    }

    private string Sign(JsonArray access)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var header = new JsonObject
        {
            ["typ"] = "JWT", ["alg"] = "ES256", ["x5c"] = new JsonArray(Convert.ToBase64String(_certificate.RawData)),
        };
        var claims = new JsonObject
        {
            ["iss"] = Issuer, ["sub"] = User, ["aud"] = Service, ["exp"] = now + 60, ["nbf"] = now - 10, ["iat"] = now - 10,
            ["jti"] = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture), ["access"] = access,
        };
        var body = $"{Part(header)}.{Part(claims)}";
        return $"{body}.{Encode(_key.SignData(Encoding.ASCII.GetBytes(body), HashAlgorithmName.SHA256))}";
    }

    private static string Part(JsonObject part) => Encode(Encoding.UTF8.GetBytes(part.ToJsonString()));

    private static string Encode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static IEnumerable<string> ScopesOf(string target) => target.Split('?', '&')
        .Where(part => part.StartsWith("scope=", StringComparison.Ordinal))
        .Select(part => Uri.UnescapeDataString(part["scope=".Length..]));
}
