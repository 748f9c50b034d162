using System.Globalization;
using ImageStore.Store.Errors;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ImageStore.Store.Configuration;

/// <summary>A mapping of a YAML file whose every value knows its line, so that a complaint can name it.</summary>
public sealed class YamlMap
{
    // Reading is recursive: a file that nests deeper than any of ours would end the process.
    private const int MaxDepth = 16;

    private readonly string _file;
    private readonly YamlMappingNode _node;

    private YamlMap(string file, YamlMappingNode node) => (_file, _node) = (file, node);

    /// <summary>Where it begins, from 1.</summary>
    public long Line => _node.Start.Line;

    /// <summary>Parses a whole file.</summary>
    /// <exception cref="ImageStoreException">It is malformed: the message names file and line.</exception>
    public static YamlMap Parse(string text, string file)
    {
        var parser = new Parser(new StringReader(text));
        try
        {
            CheckDepth(parser, file);
            var stream = new YamlStream();
            parser = new Parser(new StringReader(text));
            stream.Load(parser);
            return stream.Documents switch
            {
                [{ RootNode: YamlMappingNode root }] => new YamlMap(file, root),
                [] => throw Complaint(file, 1, "it is empty"),
                _ => throw Complaint(file, 1, "it has to be one mapping of names to values"),
            };
        }
        catch (YamlException failure)
        {
            throw Complaint(file, failure.Start.Line, Printable.Of(failure.Message.TrimEnd('.')));
        }
        catch (Exception failure) when (failure is not ImageStoreException)
        {
            // The library has its own exception, but throws others too where a scalar holds what it may not.
            throw Complaint(file, parser.Current?.End.Line ?? 1, $"what follows cannot be read as YAML ({Printable.Of(failure.Message)})");
        }
    }

    /// <summary>The error for a mistake in <paramref name="file"/>.</summary>
    public static ImageStoreException Complaint(string file, long line, string why) => new(
        ErrorKind.InvalidArgument, $"{Printable.Of(file)}, line {line}: {why}.", "Correct the file; nothing was done.");

    /// <summary>The error for the value of <paramref name="key"/>.</summary>
    public ImageStoreException Complaint(string key, string why) =>
        Complaint(_file, Find(key)?.Start.Line ?? Line, $"'{Printable.Of(key)}' {why}");

    /// <summary>Makes sure that every name is one of <paramref name="known"/>.</summary>
    /// <exception cref="ImageStoreException">One is not.</exception>
    public void RefuseOthers(params ReadOnlySpan<string> known)
    {
        foreach (var key in _node.Children.Keys)
        {
            if (key is not YamlScalarNode { Value: { } name } || !known.Contains(name))
            {
                throw Complaint(
                    _file, key.Start.Line, $"'{Printable.Of(key.ToString())}' is not known here; these are: {string.Join(", ", known!)}");
            }
        }
    }

    /// <summary>The word of a key; null where it is not there.</summary>
    /// <exception cref="ImageStoreException">It is something else.</exception>
    public string? Text(string key) => Find(key) switch
    {
        null => null,
        YamlScalarNode { Value.Length: > 0 } scalar => scalar.Value,
        _ => throw Complaint(key, "has to be a word"),
    };

    /// <summary>A list of words; a single one stands for a list of one.</summary>
    /// <exception cref="ImageStoreException">It is something else.</exception>
    public IReadOnlyList<string>? Texts(string key) => Find(key) switch
    {
        null => null,
        YamlScalarNode { Value.Length: > 0 } scalar => [scalar.Value],
        YamlSequenceNode { Children.Count: > 0 } list =>
            [.. list.Select(item => item is YamlScalarNode { Value.Length: > 0 } word ? word.Value : throw Complaint(key, "has to be a list of words"))],
        _ => throw Complaint(key, "has to be a word or a list of words"),
    };

    /// <summary>Is the key there, and true?</summary>
    /// <exception cref="ImageStoreException">It is something else than true or false.</exception>
    public bool Flag(string key) => Find(key) switch
    {
        null => false,
        YamlScalarNode { Value: "true" } => true,
        YamlScalarNode { Value: "false" } => false,
        _ => throw Complaint(key, "has to be true or false"),
    };

    /// <summary>Is the key there?</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>The whole number of a key; null where it is not there.</summary>
    /// <exception cref="ImageStoreException">It is something else.</exception>
    public int? Number(string key) => Text(key) is not { } text ? null
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
        : throw Complaint(key, "has to be a whole number");

    /// <summary>The number of a key, from 1 on; null where it is not there.</summary>
    /// <exception cref="ImageStoreException">It is something else.</exception>
    public int? PositiveNumber(string key) => Text(key) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw Complaint(key, "has to be a number of 1 or more");

    /// <summary>What <paramref name="parse"/> makes of the value of a key; its complaint gets the key's line.</summary>
    /// <exception cref="ImageStoreException">It complains.</exception>
    public T Checked<T>(string key, Func<T> parse)
    {
        ArgumentNullException.ThrowIfNull(parse);
        try
        {
            return parse();
        }
        catch (ImageStoreException failure)
        {
            throw Complaint(key, $"is wrong: {failure.Message.TrimEnd('.')}");
        }
    }

    /// <summary>The items of a list, each a mapping or a word.</summary>
    /// <exception cref="ImageStoreException">It is something else.</exception>
    public IEnumerable<(YamlMap? Map, string? Word, long Line)> Items(string key)
    {
        if (Find(key) is not { } found)
        {
            yield break;
        }

        foreach (var item in found as YamlSequenceNode ?? throw Complaint(key, "has to be a list"))
        {
            yield return item switch
            {
                YamlMappingNode map => (new YamlMap(_file, map), null, item.Start.Line),
                YamlScalarNode { Value.Length: > 0 } word => (null, word.Value, item.Start.Line),
                _ => throw Complaint(_file, item.Start.Line, "an item is empty"),
            };
        }
    }

    private YamlNode? Find(string key) => _node.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;

    private static void CheckDepth(Parser parser, string file)
    {
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth)
            {
                throw Complaint(file, parser.Current.Start.Line, $"it nests more than {MaxDepth} deep");
            }
        }
    }
}
