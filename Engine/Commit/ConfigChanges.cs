using System.Text.Json.Nodes;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Commit;

/// <summary>Changes of an image's configuration in the words of a Dockerfile, as <c>docker commit --change</c> takes them.</summary>
/// <remarks>
/// They go into the member <c>config</c> (image spec, config.md). As with Docker, an ENTRYPOINT without a CMD beside it takes the base's CMD
/// away, which was meant for another program.
/// </remarks>
internal sealed class ConfigChanges
{
    private const string Known = "ENV, CMD, ENTRYPOINT, WORKDIR, USER, LABEL, EXPOSE, VOLUME, STOPSIGNAL";
    private const int MaxPort = 65535;

    private readonly List<Action<JsonObject>> _changes = [];
    private bool _hasEntrypoint;

    /// <summary>Reads all of <paramref name="lines"/> before any has an effect.</summary>
    /// <exception cref="ImageStoreException">One is malformed (<see cref="ErrorKind.InvalidArgument"/>) or of a kind that images do not have
    /// (<see cref="ErrorKind.Unsupported"/>).</exception>
    public static ConfigChanges Parse(IReadOnlyList<string> lines)
    {
        var changes = new ConfigChanges();
        var hasCommand = false;
        foreach (var line in lines)
        {
            var text = line.Trim();
            var space = text.AsSpan().IndexOfAny(' ', '\t');
            var (word, rest) = space < 0 ? (text, string.Empty) : (text[..space], text[space..].Trim());
            if (rest.Length == 0)
            {
                throw Wrong(line, "has nothing after its first word");
            }

            word = word.ToUpperInvariant();
            hasCommand |= word == "CMD";
            changes.Add(word, rest, line);
        }

        if (!hasCommand && changes._hasEntrypoint)
        {
            changes._changes.Add(config => config.Remove("Cmd"));
        }

        return changes;
    }

    /// <summary>Makes the changes in an image's configuration.</summary>
    public void ApplyTo(JsonObject imageConfig)
    {
        if (_changes.Count > 0)
        {
            if (imageConfig["config"] is not JsonObject config)
            {
                imageConfig["config"] = config = [];
            }

            _changes.ForEach(change => change(config));
        }
    }

    private void Add(string word, string rest, string line)
    {
        switch (word)
        {
            case "ENV": AddEnvironment(rest, line); break;
            case "CMD": Put("Cmd", ChangeWords.Command(rest, line)); break;
            case "ENTRYPOINT":
                _hasEntrypoint = true;
                Put("Entrypoint", ChangeWords.Command(rest, line));
                break;
            case "WORKDIR":
                _changes.Add(config => config["WorkingDir"] = Join(config["WorkingDir"]?.ToString(), rest));
                break;
            case "USER": _changes.Add(config => config["User"] = rest); break;
            case "STOPSIGNAL": _changes.Add(config => config["StopSignal"] = rest); break;
            case "LABEL":
                foreach (var (key, value) in ChangeWords.Pairs(rest, line))
                {
                    _changes.Add(config => Member(config, "Labels")[key] = value);
                }

                break;
            case "EXPOSE":
                foreach (var port in ChangeWords.Split(rest, line).SelectMany(text => Ports(text, line)).ToList())
                {
                    _changes.Add(config => Member(config, "ExposedPorts")[port] = new JsonObject());
                }

                break;
            case "VOLUME":
                foreach (var path in rest[0] == '[' ? ChangeWords.Json(rest, line) : ChangeWords.Split(rest, line))
                {
                    _changes.Add(config => Member(config, "Volumes")[path] = new JsonObject());
                }

                break;
            default:
                throw new ImageStoreException(
                    ErrorKind.Unsupported, $"The change '{Printable.Of(line)}' is of no kind that a commit can make.", $"There are {Known}.");
        }
    }

    private void AddEnvironment(string rest, string line)
    {
        foreach (var (key, value) in ChangeWords.Pairs(rest, line))
        {
            _changes.Add(config =>
            {
                List<string> all = [.. (config["Env"] as JsonArray ?? []).Select(node => node?.ToString() ?? string.Empty)];
                var at = all.FindIndex(entry => entry.StartsWith(key + "=", StringComparison.Ordinal));
                if (at < 0)
                {
                    all.Add($"{key}={value}");
                }
                else
                {
                    all[at] = $"{key}={value}";
                }

                config["Env"] = Array(all);
            });
        }
    }

    private void Put(string member, IReadOnlyList<string> words) => _changes.Add(config => config[member] = Array(words));

    private static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)JsonValue.Create(text)!)]);

    private static JsonObject Member(JsonObject config, string name)
    {
        if (config[name] is not JsonObject found)
        {
            config[name] = found = [];
        }

        return found;
    }

    private static string Join(string? current, string directory)
    {
        List<string> parts = [];
        foreach (var part in (directory[0] == '/' ? directory : $"{current}/{directory}").Split('/'))
        {
            if (part == "..")
            {
                parts = [.. parts.SkipLast(1)];
            }
            else if (part is not ("" or "."))
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts);
    }

    private static IEnumerable<string> Ports(string text, string line)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (ports, protocol) = slash < 0 ? (text, "tcp") : (text[..slash], text[(slash + 1)..].ToLowerInvariant());
        var ends = ports.Split('-');
        if (protocol is not ("tcp" or "udp" or "sctp") || ends.Length > 2
            || !Port(ends[0], out var first) || !Port(ends[^1], out var last) || last < first)
        {
            throw Wrong(line, $"has '{Printable.Of(text)}', which is no port such as 80, 53/udp or 8000-8010");
        }

        return Enumerable.Range(first, last - first + 1).Select(port => $"{port}/{protocol}");

        static bool Port(string digits, out int port) =>
            int.TryParse(digits, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out port)
            && port is > 0 and <= MaxPort;
    }

    private static ImageStoreException Wrong(string line, string what) => ChangeWords.Wrong(line, what);
}
