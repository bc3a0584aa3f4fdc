require "json"
require "jwt"

verdicts = JSON.parse($stdin.read).map do |token, key|
  claims, = JWT.decode(token, key, true, algorithms: ["HS256"])
  { claims: claims }
rescue JWT::DecodeError => error
  { refused: error.class.name }
end
puts JSON.generate(verdicts)
